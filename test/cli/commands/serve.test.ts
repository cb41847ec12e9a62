// bitflake serve on a store in memory: settings, start report, warnings, log, errors.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { decode } from "bitflake";
import { afterAll, describe, expect, test, vi } from "vitest";
import { type CliOptions, type CliResult, cli } from "../cliIo.ts";

const cwd = mkdtempSync(join(tmpdir(), "bitflake-serve-"));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));
const put = (name: string, content: unknown) =>
  writeFileSync(join(cwd, name), typeof content === "string" ? content : JSON.stringify(content));
put("types.json", { farmer: { length: 10 } });

const KEY = "0123456789abcdef";

/** Runs the service until `use` is done. */
async function served(
  line: string,
  use: (url: string) => Promise<void> = async () => {},
  given: CliOptions = {},
): Promise<CliResult> {
  const controller = new AbortController();
  let using: Promise<void> | undefined;
  const onWrite = (where: string, text: string) => {
    if (where !== "stdout") return;
    const url = /http:[^"\s]+/.exec(text)?.[0] as string;
    using = use(url).finally(() => controller.abort());
  };
  const done = await cli(`serve --port 0 ${line}`, { cwd, onWrite, signal: controller.signal, ...given });
  await using;
  return done;
}

const idOf = async (url: string, headers: Record<string, string> = {}) => {
  const response = await fetch(`${url}/generate_snowflake_id`, { headers });
  return { status: response.status, body: (await response.json()) as { id: string } };
};

describe("the service", () => {
  test("prints its URL, serves IDs, and stops with exit code 0", async () => {
    let id = "";
    const { code, out, err } = await served("--store memory: --log none", async (url) => {
      id = (await idOf(url)).body.id;
    });
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^listening on http:\/\/127\.0\.0\.1:\d+\n/);
    expect(decode(id, "twitter").timestampMs).toBeGreaterThan(Date.now() - 60_000);
  });

  test("shows a person at a terminal where to look, and without a console only the command", async () => {
    const at = async (flags: string) => {
      const { out } = await served(`-s memory: --log none ${flags}`, undefined, { terminal: ["stdout"] });
      return out.trim().split("\n").at(-1);
    };
    expect(await at("")).toMatch(
      /^pages: (http:\S+)\/ and \1\/docs in a browser, bitflake top \1 in another terminal$/,
    );
    expect(await at("--no-console")).toMatch(/^pages: bitflake top http:\S+ in another terminal$/);
  });

  test("takes its epoch as a date, also in the file", async () => {
    put("dated.json", { store: "memory:", epoch: "2015-01-01" });
    const epochOf = async (line: string, env = {}) =>
      JSON.parse((await served(`${line} --log none --json`, undefined, { env })).out).layout.epochMs;
    expect(await epochOf("-s memory: --epoch 2015-01-01")).toBe(1_420_070_400_000);
    expect(await epochOf("--config dated.json")).toBe(1_420_070_400_000);
    expect(await epochOf("--config dated.json", { BITFLAKE_EPOCH_MS: "5" })).toBe(5);
    const { code, err } = await cli("serve --config dated.json --epoch 2999-01-01", { cwd });
    expect([code, err]).toEqual([2, expect.stringContaining("error: --epoch must be in the past, got ")]);
  });

  test("prints its start report as JSON with --json", async () => {
    put("limited.json", { store: "memory:", apiKeys: [KEY, `${KEY}2`], rateLimit: 9, types: "types.json" });
    const { out } = await served("--config limited.json --log none --json --machine-id 3");
    expect(JSON.parse(out)).toEqual({
      url: expect.stringMatching(/^http:/),
      workers: null,
      node: {
        datacenterId: 0,
        machineId: 3,
        leasedFrom: null,
        couldRepeatIds: "any other process with this node",
      },
      layout: {
        preset: "twitter",
        timestampBits: 41,
        datacenterBits: 5,
        machineBits: 5,
        sequenceBits: 12,
        epochMs: 1577836800000,
        tickMs: 1,
      },
      store: "memory:",
      clock: "store",
      poolStore: null,
      auth: { keys: 2 },
      limits: { limit: 9, windowMs: 60000 },
      types: ["farmer"],
    });
  });

  test("prints its node, layout, store, authentication, limits and types, one per line", async () => {
    const lines = async (line: string, given = {}) =>
      (await served(`--log none ${line}`, undefined, given)).out.split("\n").slice(1, -1);
    expect(await lines("--store memory: --machine-id 700 --preset single_dc")).toEqual([
      "node: datacenter 0, machine 700, as given; could be repeated by any other process with this node",
      "layout: single_dc, 41·0·10·12 bits, epoch 2020-01-01T00:00:00.000Z",
      "store: memory:",
      "auth: none, every program on this machine is accepted",
      "limits: none",
      "types: none",
    ]);
    const env = { BITFLAKE_API_KEYS: `${KEY},${KEY}2`, BITFLAKE_RATE_LIMIT: "9" };
    expect(await lines("--store memory: --types types.json --pool-store memory:", { env })).toEqual([
      expect.stringMatching(
        /^node: datacenter 0, machine \d+, leased from the state folder; could be repeated by processes of other users/,
      ),
      "layout: twitter, 41·5·5·12 bits, epoch 2020-01-01T00:00:00.000Z",
      "store: memory:, pools in memory:",
      "auth: API keys, 2 configured",
      "limits: 9 requests per client in 60 s",
      "types: farmer",
    ]);
    const publicService = await lines("--store memory: --machine-id 1 --host 0.0.0.0 --public");
    expect(publicService).toContain("auth: none, every client that reaches it is accepted");
  });

  test("uses memory without a --store and without SQLite, and warns", async () => {
    const old = (name: string) =>
      name === "node:sqlite" ? Promise.reject(new Error("no such module")) : import(/* @vite-ignore */ name);
    const programUrl = pathToFileURL(join(cwd, "cli.js")).href;
    const given = { import: old, programUrl };
    const { code, err, out } = await served("--log none", undefined, given);
    expect([code, out]).toEqual([0, expect.stringContaining("\nstore: memory:\n")]);
    const warning =
      "everything except the node is kept in memory: when the service stops, counters restart at 1.";
    expect(err).toMatch(/^warning: this runtime has no SQLite/);
    expect(err).toContain(warning);
    const { err: pools } = await served("--log none --types types.json --json", undefined, given);
    expect(JSON.parse(pools).warning).toContain("at 1, and issued numeric IDs are issued again.");
  });

  // Node 20 has no SQLite. The test is not declared there, because it would count as skipped.
  if (isBuiltin("node:sqlite")) {
    test("uses a file of the user without a --store", async () => {
      const env = { BITFLAKE_STATE_DIR: join(cwd, "state") };
      const shared = await served("--log none", undefined, { env });
      expect(shared.out).toContain(`\nstore: sqlite:${join(cwd, "state", "bitflake.db")}\n`);
      put("bitflake.db", "");
      expect((await served("--log none", undefined, { env })).out).toContain("\nstore: sqlite:bitflake.db\n");
      rmSync(join(cwd, "bitflake.db"));
      const { out } = await served("--store sqlite:own.db --log none", undefined, { env });
      expect(out).toMatch(
        /\nnode: .*, leased from sqlite:own\.db; .* in another file, or with another --name than service\n/,
      );
    });
  }

  test("uses the given node, layout and epoch", async () => {
    let id = "";
    const line = "--store memory: --log none --preset single_dc --machine-id 700 --epoch-ms 1420070400000";
    await served(line, async (url) => {
      id = (await idOf(url)).body.id;
    });
    const { machineId, timestampMs } = decode(id, {
      timestampBits: 41,
      datacenterBits: 0,
      machineBits: 10,
      sequenceBits: 12,
      epochMs: 1420070400000,
    });
    expect([machineId, Math.abs(timestampMs - Date.now()) < 60_000]).toEqual([700, true]);
  });

  test("takes keys, limits and types from a file, with paths relative to that file", async () => {
    mkdirSync(join(cwd, "etc"), { recursive: true });
    put("etc/types.json", { card: { length: 8 } });
    put("etc/bitflake.json", {
      store: "memory:",
      apiKeys: [KEY],
      rateLimit: 2,
      rateWindowMs: 600_000,
      rateLimitOnStoreError: "allow",
      types: "types.json",
      log: "none",
    });
    const statuses: number[] = [];
    const { code } = await served("--config etc/bitflake.json", async (url) => {
      const headers = { authorization: `Bearer ${KEY}`, "x-api-key": KEY };
      statuses.push((await idOf(url)).status);
      const card = await fetch(`${url}/generate_id/card`, { headers });
      statuses.push(card.status === 404 ? 200 : card.status);
      for (let i = 0; i < 3; i++) statuses.push((await idOf(url, headers)).status);
    });
    expect(code).toBe(0);
    expect(statuses).toContain(401);
    expect(statuses).toContain(429);
    expect(statuses).toContain(200);
  });

  test.each(["types.json", { farmer: { length: 10 } }])("has pools of the types %j", async (types) => {
    put("pools.json", { store: "memory:", types, log: "none" });
    let health = {};
    await served("--config pools.json", async (url) => {
      health = (await (await fetch(`${url}/health`)).json()) as object;
    });
    expect(health).toMatchObject({ pools: { farmer: {} } });
  });

  test.each(["constructor", "toString", "yes"])("is not made public by BITFLAKE_PUBLIC=%s", async (text) => {
    const line = "serve --host 0.0.0.0 --machine-id 1 --store memory: --port 0";
    const { code, err } = await cli(line, { cwd, env: { BITFLAKE_PUBLIC: text } });
    expect([code, err]).toEqual([2, expect.stringMatching(/^error: BITFLAKE_PUBLIC must be /)]);
  });

  test("does not warn about a default node in a pod if a node is given", async () => {
    const emitWarning = vi.spyOn(process, "emitWarning").mockReturnValue();
    const env = { KUBERNETES_SERVICE_HOST: "10.0.0.1" };
    vi.stubEnv("KUBERNETES_SERVICE_HOST", "10.0.0.1");
    expect(
      (await cli("serve --machine-id 3 --store memory: --port 0", { cwd, env, signal: AbortSignal.abort() }))
        .code,
    ).toBe(0);
    expect((await cli("new", { env })).code).toBe(0);
    expect(emitWarning).not.toHaveBeenCalled();
    vi.unstubAllEnvs();
    emitWarning.mockRestore();
  });

  test("fails on a host that other machines reach, without API keys and --public", async () => {
    const line = "--store memory: --machine-id 1 --log none --host 0.0.0.0";
    const message =
      "error: --host 0.0.0.0 can be reached from other machines: set BITFLAKE_API_KEYS, or pass --public to accept every client\n";
    for (const env of [{}, { BITFLAKE_PUBLIC: "false" }]) {
      const { code, out, err } = await cli(`serve ${line}`, { cwd, env });
      expect([code, out, err]).toEqual([2, "", expect.stringContaining(message)]);
    }
    expect((await cli("serve --store memory:", { cwd, env: { BITFLAKE_HOST: "::" } })).err).toContain(
      "error: BITFLAKE_HOST :: can be reached from other machines",
    );
    expect(await served(line, undefined, { env: { BITFLAKE_API_KEYS: KEY } })).toMatchObject({ code: 0 });
    expect(await served(line, undefined, { env: { BITFLAKE_PUBLIC: "true" } })).toMatchObject({ code: 0 });
    expect(await served(`${line} --public`)).toMatchObject({ code: 0 });
    expect(await served("--store memory: --log none --host localhost")).toMatchObject({ code: 0 });
  });

  test.each(["", "--store memory:", "--store sqlite:ids.db", "--store memory: --datacenter-id 1"])(
    "fails on a host that other machines reach, if another service can have its node: %s",
    async (store) => {
      const { code, out, err } = await cli(`serve --host 0.0.0.0 --public ${store}`, { cwd });
      expect([code, out]).toEqual([2, ""]);
      expect(err).toContain(
        "error: --host 0.0.0.0 requires a store that all such services share (--store redis://..., postgres://... or another server), or a node that no other service has (--machine-id): otherwise another service can repeat its IDs\n",
      );
    },
  );

  test("warns in a pod if the services of other pods can have its node", async () => {
    const env = { KUBERNETES_SERVICE_HOST: "10.0.0.1" };
    const warning = "warning: the services of other pods can repeat these IDs: ";
    expect((await served("--store memory: --log none", undefined, { env })).err).toContain(warning);
    expect((await served("--store memory: --log none --machine-id 3", undefined, { env })).err).toBe("");
    expect((await served("--store memory: --log none")).err).toBe("");
  });

  test("fails with a layout of one node, unless the machine is given", async () => {
    const { code, err } = await cli("serve --store memory: --preset minimal", { cwd });
    expect([code, err]).toEqual([
      2,
      expect.stringContaining(
        "error: --preset minimal has only one node, so two services would repeat each other's IDs: pass --machine-id 0 if this is the only service\n",
      ),
    ]);
    expect(await served("--store memory: --preset minimal --machine-id 0 --log none")).toMatchObject({
      code: 0,
    });
  });

  test("requires a machine if a datacenter is given and no store leases nodes", async () => {
    const { code, err } = await cli("serve --store memory: --datacenter-id 1", { cwd });
    expect(code).toBe(2);
    expect(err).toContain(
      "error: --datacenter-id requires --machine-id, or a --store that leases the machine",
    );
  });

  test("does not log its own request for the node", async () => {
    const { err } = await served("--store memory: --log json", async (url) => {
      await fetch(`${url}/health`);
    });
    expect(err.trim().split("\n")).toEqual([expect.stringContaining('"/health"')]);
  });

  test("stops without output if the signal comes before it listens", async () => {
    const { code, out } = await cli("serve --store memory:", { cwd, signal: AbortSignal.abort() });
    expect([code, out]).toEqual([0, ""]);
  });

  test.each([
    ["--rate-window-ms 5", "--rate-window-ms"],
    ["--rate-limit-on-store-error allow", "--rate-limit-on-store-error"],
    ["--on-rate-failure open", "--on-rate-failure"],
  ])("refuses %s without --rate-limit", async (flags, source) => {
    const { code, err } = await cli(`serve --store memory: ${flags}`, { cwd });
    expect(code).toBe(2);
    expect(err).toContain(`${source} requires --rate-limit`);
  });

  test("fails if its second store cannot be opened", async () => {
    const old = (name: string) =>
      name === "node:sqlite" ? Promise.reject(new Error("no such module")) : import(/* @vite-ignore */ name);
    const line = "serve --store memory: --pool-store sqlite:ids.db";
    const programUrl = pathToFileURL(join(cwd, "cli.js")).href;
    expect(await cli(line, { cwd, programUrl, import: old })).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringMatching(/npm install better-sqlite3\n$/),
    });
  });

  test("fails if the port is in use", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await new Promise((ready) => taken.once("listening", ready));
    const { port } = taken.address() as { port: number };
    const { code, err } = await cli(`serve --store memory: --port ${port} --log none`, { cwd });
    taken.close();
    expect(code).toBe(1);
    expect(err).toMatch(/^error: 127\.0\.0\.1:\d+ is already in use; choose another --port\n$/);
  });
});

describe("the log", () => {
  const requests = async (url: string) => {
    await idOf(url);
    await fetch(`${url}/nowhere`);
  };

  test("is JSON if the output is not a terminal", async () => {
    for (const line of ["--store memory:", "--store memory: --log json"]) {
      const { err } = await served(line, requests);
      const entries = err
        .trim()
        .split("\n")
        .map((row) => (row.startsWith("{") ? JSON.parse(row) : row));
      expect(entries).toMatchObject([
        { method: "GET", status: 200 },
        { method: "GET", status: 404 },
      ]);
      expect(Object.keys(entries[0])).toEqual(
        expect.arrayContaining(["time", "route", "durationMs", "client"]),
      );
    }
  });

  test("is text on a terminal", async () => {
    const { err } = await served("--store memory:", requests, { terminal: ["stderr"] });
    expect(err).toMatch(
      /^\d{4}-\S+Z info {2}200 +\d+\.\d{3} ms GET {2}\/generate_snowflake_id 127\.0\.0\.1 \S{21}\n/,
    );
    expect(err).toMatch(/Z warn {2}404 +\d+\.\d{3} ms GET {2}\/nowhere - 127\.0\.0\.1 \S{21} ERR_\w+\n/);
  });
});

describe("an error of the start", () => {
  put("json-log.json", { log: "json", store: "memory:" });
  test.each<[string, Record<string, string>, number]>([
    ["--log json --store memory: --datacenter-id 1", {}, 2],
    ["--log=json --store memory: --port x", {}, 2],
    ["--log json --prot 80", {}, 2],
    ["--port x", { BITFLAKE_LOG: "json" }, 2],
    ["", { BITFLAKE_LOG: "json", BITFLAKE_APIKEYS: "x" }, 2],
    ["--config json-log.json --datacenter-id 1", {}, 2],
    ["--config=json-log.json --port x", {}, 2],
    ["", { BITFLAKE_CONFIG: "json-log.json", BITFLAKE_PORT: "x" }, 2],
    ["--log json --store postgres://127.0.0.1:1/db --machine-id 1", {}, 1],
  ])("is one line of JSON when the log is JSON: %s %j", async (line, env, exitCode) => {
    const { code, out, err } = await cli(`serve ${line}`, { cwd, env });
    expect([code, out]).toEqual([exitCode, ""]);
    expect(err).toMatch(/^[^\n]+\n$/);
    expect(JSON.parse(err)).toEqual({
      error: { code: expect.stringMatching(/^ERR_/), message: expect.any(String) },
    });
  });

  test.each<[string, Record<string, string>]>([
    ["--store memory: --port x", {}],
    ["--log text --store memory: --port x", { BITFLAKE_LOG: "json" }],
    ["--log text --config json-log.json --port x", {}],
    ["--port x --config absent.json", {}],
    ["--port x -- --log json", {}],
    ["--log", {}],
  ])("is text otherwise: %s %j", async (line, env) => {
    const { err } = await cli(`serve ${line}`, { cwd, env });
    expect(err).toMatch(/^error: .*\nTry `bitflake serve --help`\.\n$/);
  });
});

describe("a wrong setting exits with 2 and an error that names its origin", () => {
  put("bitflake.json", { port: "80" });
  put("unknown.json", { prot: 80 });
  put("keys.json", { apiKeys: [KEY, "short"] });
  put("no-keys.json", { apiKeys: [] });
  put("types-inside.json", { types: { farmer: { length: 99 } } });
  put("types-outside.json", { types: "bad-types.json" });
  put("bad-types.json", { farmer: { length: 99 } });
  put("text.json", '{ "apiKeys": ["topsecret" } ');
  put("list.json", "[]");
  put("redis.json", { store: "redis://u:secret@h", types: { farmer: { length: 10 } } });
  const port = "must be a whole number from 0 to 65535, got";
  test.each<[string, Record<string, string>, unknown]>([
    ["--port x", {}, `--port ${port} "x"`],
    ["", { BITFLAKE_PORT: "x" }, `BITFLAKE_PORT ${port} "x"`],
    ["--config bitflake.json", {}, `port in bitflake.json ${port} "80"`],
    ["", { BITFLAKE_CONFIG: "bitflake.json" }, `port in bitflake.json ${port} "80"`],
    ["--config unknown.json", {}, 'unknown setting "prot" in unknown.json; did you mean port?'],
    ["--config absent.json", {}, expect.stringMatching(/^--config must be a readable file: ENOENT/)],
    [
      "",
      { BITFLAKE_CONFIG: "absent.json" },
      expect.stringMatching(/^BITFLAKE_CONFIG must be a readable file/),
    ],
    ["--config text.json", {}, expect.stringMatching(/^text\.json must be JSON/)],
    ["--config list.json", {}, "list.json must contain a JSON object"],
    [
      "--config keys.json",
      {},
      expect.stringMatching(/^apiKeys\[1\] in keys\.json must be 16 to 255 characters/),
    ],
    [
      "",
      { BITFLAKE_API_KEYS: `${KEY},short` },
      expect.stringMatching(/^BITFLAKE_API_KEYS\[1\] must be 16 to 255/),
    ],
    [
      "",
      { BITFLAKE_API_KEYS: "" },
      'BITFLAKE_API_KEYS must be a list of at least one string, none of them empty; if it is not set, every client that reaches the service is accepted, got ""',
    ],
    [
      "--config no-keys.json",
      {},
      expect.stringMatching(/^apiKeys in no-keys\.json must be a list of at least one string, .* got ""$/),
    ],
    [
      "",
      { BITFLAKE_API_KEY: KEY },
      'unknown environment variable "BITFLAKE_API_KEY"; did you mean BITFLAKE_API_KEYS?',
    ],
    [
      "--api-keys abc",
      {},
      expect.stringMatching(/^--api-keys is not available as a flag: the process list would show the keys/),
    ],
    [
      "--config types-inside.json",
      {},
      expect.stringMatching(/^types\.farmer\.length in types-inside\.json must be/),
    ],
    [
      "--config types-outside.json",
      {},
      expect.stringMatching(/^types\.farmer\.length in \S*bad-types\.json must be/),
    ],
    [
      "--types bad-types.json",
      {},
      expect.stringMatching(/^types\.farmer\.length in bad-types\.json must be/),
    ],
    ["--types absent.json", {}, expect.stringMatching(/^--types must be a readable file/)],
    ["", { BITFLAKE_TYPES: "absent.json" }, expect.stringMatching(/^BITFLAKE_TYPES must be a readable file/)],
    ["--machine-id 32", {}, "--machine-id must be a whole number from 0 to 31 (5 bits), got 32"],
    [
      "",
      { BITFLAKE_MACHINE_ID: "32" },
      "BITFLAKE_MACHINE_ID must be a whole number from 0 to 31 (5 bits), got 32",
    ],
    ["--name {x}", {}, expect.stringMatching(/^--name must be a string of 1 to 100 characters/)],
    ["--store nonsense", {}, expect.stringMatching(/^--store must be redis:/)],
    ["--pool-store nonsense:", {}, expect.stringMatching(/^--pool-store must be redis:/)],
    [
      "--pool-store redis://h",
      {},
      expect.stringMatching(
        /^--pool-store must not be redis:, because pools of numeric IDs require (?!.*--pool-store)/,
      ),
    ],
    [
      "--config redis.json",
      {},
      expect.stringMatching(
        /^store in redis\.json must not be redis:, because pools of numeric IDs require .*; or set --pool-store$/,
      ),
    ],
    ["somewhere", {}, 'serve takes no arguments, got "somewhere"'],
  ])("%s %j", async (line, env, message) => {
    const given = line.includes("--store") || line.includes("redis.json") ? line : `--store memory: ${line}`;
    const { code, out, err } = await cli(`serve ${given}`, { cwd, env });
    expect([code, out]).toEqual([2, ""]);
    const message1 = err
      .split("\n")
      .find((row) => row.startsWith("error: "))
      ?.replace("error: ", "");
    expect(message1).toEqual(message);
    expect(err).not.toMatch(/secret|short/);
  });
});

test("the configuration file in the guide is valid", async () => {
  const guide = readFileSync(new URL("../../../docs/command-line.md", import.meta.url), "utf8");
  const [config = ""] = [...guide.matchAll(/```json\n(.*?)```/gs)].map(([, json]) => json).slice(-1);
  put("guide.json", { ...JSON.parse(config), store: "memory:", poolStore: "memory:", port: 0, log: "none" });
  expect(await served("--config guide.json")).toMatchObject({ code: 0 });
});
