// Settings of bitflake serve: clients, allowed hosts, limits of connections, the lame-duck time, and a log that is not read.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type CliResult, cli } from "../cliIo.ts";
import { buildProgram } from "../program.ts";

const cwd = mkdtempSync(join(tmpdir(), "bitflake-serve-options-"));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

/** Runs the service on a store in memory until `use` is done or calls `end`. */
async function served(
  line: string,
  use: (url: string, end: () => void) => Promise<void>,
): Promise<CliResult> {
  const controller = new AbortController();
  let using: Promise<void> | undefined;
  const onWrite = (where: string, text: string) => {
    if (where !== "stdout") return;
    const end = () => controller.abort();
    using = use(/http:[^"\s]+/.exec(text)?.[0] as string, end).finally(end);
  };
  const done = await cli(`serve --store memory: --port 0 ${line}`, {
    cwd,
    onWrite,
    signal: controller.signal,
  });
  await using;
  return done;
}

/** Sends a request with another Host header than the address, which fetch does not allow. */
function statusFor(url: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(`${url}/generate_uuid`, { headers: { host }, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    })
      .on("error", reject)
      .end();
  });
}

describe("clients in the configuration file", () => {
  const keys = ["orders-key-01234567", "orders-key-89012345", "watch-key-012345678", "alone-key-012345678"];
  const file = (name: string, apiKeys: unknown) => {
    writeFileSync(join(cwd, name), JSON.stringify({ apiKeys }));
    return `--config ${name}`;
  };

  test("have names, which are in the log, and scopes", async () => {
    const line = file("clients.json", [
      { name: "orders", keys: [keys[0], keys[1]] },
      { name: "prometheus", keys: [keys[2]], scopes: ["watch"] },
      keys[3],
    ]);
    const { err } = await served(line, async (url) => {
      const status = async (key = "", path = "/generate_uuid") =>
        (await fetch(`${url}${path}`, { headers: { "x-api-key": key } })).status;
      expect([await status(keys[0]), await status(keys[1]), await status(keys[3])]).toEqual([200, 200, 200]);
      expect([await status(keys[2]), await status(keys[2], "/metrics")]).toEqual([403, 200]);
      expect(await status("none-of-them-at-all")).toBe(401);
    });
    const clients = err
      .trim()
      .split("\n")
      .map((row) => JSON.parse(row).client);
    expect(clients).toEqual([
      "orders",
      "orders",
      expect.stringMatching(/^key-[\da-f]{12}$/),
      "prometheus",
      "prometheus",
      "",
    ]);
  });

  test.each<[unknown, RegExp]>([
    [[{ name: "orders" }], /^apiKeys\[0\]\.keys in wrong\.json must be an array of at least one key/],
    [[{ name: "orders", keys: ["topsecret"] }], /^apiKeys\[0\]\.keys\[0\] in wrong\.json must be 16 to 255/],
    [[{ topsecret: "orders" }], /^apiKeys\[0\] in wrong\.json must be a key, or an object/],
    [[["topsecret"]], /^apiKeys in wrong\.json must be a list of at least one string/],
  ])("that are invalid are refused, and the error shows no key: %j", async (apiKeys, message) => {
    const { code, err } = await cli(`serve --store memory: ${file("wrong.json", apiKeys)}`, { cwd });
    expect(code).toBe(2);
    expect(err.replace(/^error: /, "")).toMatch(message);
    expect(err).not.toContain("topsecret");
  });
});

test("--allowed-hosts adds names to those of this machine", async () => {
  await served("--log none --allowed-hosts ids.internal", async (url) => {
    expect(await statusFor(url, "ids.internal:80")).toBe(200);
    expect(await statusFor(url, "localhost")).toBe(200);
    expect(await statusFor(url, "evil.example")).toBe(403);
  });
});

test("limits of connections are passed to the server", async () => {
  const line = "--log none --keep-alive-timeout-ms 7000 --headers-timeout-ms 8000 --max-connections 50";
  await served(line, async (url) => {
    expect((await fetch(`${url}/generate_uuid`)).headers.get("keep-alive")).toBe("timeout=7");
  });
  const { code, err } = await cli("serve --store memory: --headers-timeout-ms 9 --request-timeout-ms 8", {
    cwd,
  });
  expect([code, err]).toEqual([2, expect.stringContaining("not less than headersTimeoutMs")]);
});

test("--lame-duck-ms: after the signal the health route reports stopping, and requests are served", async () => {
  const done = await served("--log none --lame-duck-ms 8000", async (url, end) => {
    expect((await fetch(`${url}/health`)).status).toBe(200);
    end();
    const health = await fetch(`${url}/health`);
    expect([health.status, await health.json()]).toEqual([
      503,
      expect.objectContaining({ status: "stopping" }),
    ]);
    expect((await fetch(`${url}/generate_snowflake_id`)).status).toBe(200);
  });
  expect(done.code).toBe(0);
});

test("with --log json every line on the standard error output is JSON", async () => {
  const { err } = await served("--log json --rate-limit 2", async (url) => {
    for (const path of ["/generate_uuid", "/nowhere", "/decode/x", "/decode/1", "/decode/1"])
      await fetch(url + path);
  });
  const rows = err
    .trim()
    .split("\n")
    .map((row) => JSON.parse(row));
  expect(rows.map(({ status }) => status)).toEqual([200, 404, 400, 429, 429]);
});

test("a log that is not read loses lines, and the service continues", async () => {
  const program = await buildProgram();
  try {
    const { child, waitForOutput, written, ended } = program.start([
      "serve",
      "--store",
      "memory:",
      "--port",
      "0",
      "--log",
      "json",
    ]);
    child.stderr?.pause();
    await waitForOutput("http://");
    const url = /http:[^"\s]+/.exec(written.out)?.[0] as string;
    // Long lines, so that few requests fill the pipe and the queue of the service.
    const headers = { "user-agent": "x".repeat(256), "x-request-id": "y".repeat(128) };
    const path = `/decode/${"1".repeat(240)}`;
    for (let round = 0; round < 40; round++) {
      await Promise.all(
        Array.from({ length: 64 }, async () => (await fetch(url + path, { headers })).text()),
      );
    }
    expect((await fetch(`${url}/generate_uuid`)).status).toBe(200);
    child.stderr?.resume();
    await expect.poll(() => written.err, { timeout: 120_000 }).toMatch(/log_lines_lost.*\n$/s);
    const rows = written.err
      .trim()
      .split("\n")
      .map((row) => JSON.parse(row));
    const lost = rows
      .filter(({ event }) => event === "log_lines_lost")
      .reduce((sum, { count }) => sum + count, 0);
    expect(lost).toBeGreaterThan(0);
    expect(rows.filter(({ status }) => status === 400).length + lost).toBeGreaterThanOrEqual(64 * 40);
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
  } finally {
    program.remove();
  }
});
