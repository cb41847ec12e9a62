// Commands with a store: addresses, credentials, missing packages, pools in memory.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { type ArgumentError, setupSql } from "../../src/backend/index.ts";
import { describeError } from "../../src/cli/errors.ts";
import { assertKeepsPools } from "../../src/cli/flags/poolFlags.ts";
import { storeKindOf } from "../../src/cli/stores/address.ts";
import { openStore } from "../../src/cli/stores/openStore.ts";
import { unconnectedBackend } from "../../src/cli/stores/unconnected.ts";
import { IdPool, NumericIdType } from "../../src/numeric/index.ts";
import { cli, storeContext } from "./cliIo.ts";

const cwd = mkdtempSync(join(tmpdir(), "bitflake-stores-"));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));
afterEach(() => {
  vi.useRealTimers();
});
writeFileSync(join(cwd, "types.json"), '{ "farmer": { "length": 10 }, "tiny": { "length": 3 } }');
/** A folder in which no package is installed, neither for the caller nor for the program. */
const nowhere = { cwd, programUrl: pathToFileURL(join(cwd, "cli.js")).href };

describe("an address", () => {
  test.each([
    ["redis://h", "redis"],
    ["rediss://u:p@h:1/2", "redis"],
    ["postgres://h/db", "postgres"],
    ["postgresql:///db", "postgres"],
    ["redis://user:pass/word@host/3?family=6", "redis"],
    ["redis://host:6379/", "redis"],
    ["redis+sentinel://h/mymaster", "redis"],
    ["rediss+sentinel://:pass/w@rd@h:1,[::1]:2/my-master/3?sentinelUsername=u&sentinelPassword=p", "redis"],
    ["redis+cluster://h:1,h2", "redis"],
    ["rediss+cluster://u:p@h/0", "redis"],
    ["mysql://h/db", "mysql"],
    ["mariadb://u:p@h:3306/db?ssl={}", "mysql"],
    ["nats://h", "nats"],
    ["nats+tls://token@h,h2:4223/my_bucket?replicas=3", "nats"],
    ["etcd://h:2379,h2", "etcd"],
    ["etcds://u:p@h", "etcd"],
    ["sqlite:x.db", "sqlite"],
    ["sqlite:/var/x.db", "sqlite"],
    ["sqlite::memory:", "sqlite"],
    ["memory:", "memory"],
  ])("%s names a store of the kind %s", (url, kind) => {
    expect(storeKindOf(url)).toBe(kind);
  });

  const forms =
    "redis://..., redis+sentinel://..., redis+cluster://..., postgres://..., mysql://..., nats://..., etcd://..., sqlite:PATH or memory:";
  const sentinel =
    "followed by the sentinels and the name of the primary, for example redis+sentinel://10.0.0.1:26379,10.0.0.2:26379/mymaster";
  const cluster = "followed by nodes of the cluster, for example redis+cluster://10.0.0.1:6379,10.0.0.2:6379";
  const bucket = "followed by hosts and perhaps a bucket, for example nats://10.0.0.1,10.0.0.2/bitflake";
  test.each([
    ["mongodb://root:secret@h", `--store must be ${forms}, got an address that begins with "mongodb:"`],
    ["redis+sentinel://:secret@h", `--store must be redis+sentinel:// ${sentinel}`],
    ["redis+sentinel://:secret@h/ids/zero", `--store must be redis+sentinel:// ${sentinel}`],
    ["redis+sentinel://:secret@h/ids?password=x", `--store must be redis+sentinel:// ${sentinel}`],
    ["redis+sentinel://:secret@h:99999/ids", `--store must be redis+sentinel:// ${sentinel}`],
    ["redis+cluster://:secret@h,/", `--store must be redis+cluster:// ${cluster}`],
    ["redis+cluster://:secret@h/1", `--store must be redis+cluster:// ${cluster}`],
    ["nats://u:secret@h/a.b", `--store must be nats:// ${bucket}`],
    ["nats://u:secret@h?replicas=0", `--store must be nats:// ${bucket}`],
    [
      "etcd://u:secret@h/path",
      "--store must be etcd:// followed by hosts, for example etcd://10.0.0.1:2379,10.0.0.2:2379",
    ],
    [
      "mysql://u:secret@h",
      "--store must be mysql:// followed by a host and a database, for example mysql://127.0.0.1/app",
    ],
    ["constructor:secret", `--store must be ${forms}, got an address that begins with "constructor:"`],
    ["secret", `--store must be ${forms}, got an address without a scheme`],
    ["/var/secret.db", `--store must be ${forms}, got an address without a scheme`],
    ["redis:secret", "--store must be redis:// followed by a host, for example redis://127.0.0.1"],
    [
      "redis://127.0.0.1:6379/mydb",
      "--store must be an address whose path is a database number, for example redis://127.0.0.1:6379/0",
    ],
    [
      "sqlite:",
      "--store must be sqlite: followed by a path, for example sqlite:ids.db or sqlite:/var/lib/ids.db",
    ],
    [
      "sqlite://secret.db",
      "--store must be sqlite: followed by a path, for example sqlite:ids.db or sqlite:/var/lib/ids.db",
    ],
    ["memory:secret", "--store must be memory: with nothing after it"],
  ])("%s is refused, and the error does not show it", (url, message) => {
    expect(() => storeKindOf(url)).toThrow(message);
    expect(message).not.toContain("secret");
  });

  test("is refused with the origin of the setting", async () => {
    const { code, err } = await cli("lease inspect", { env: { BITFLAKE_STORE: "x:" } });
    expect(code).toBe(2);
    expect(err).toMatch(/^error: BITFLAKE_STORE must be /);
    expect((await cli("lease inspect")).err).toMatch(/^error: --store or BITFLAKE_STORE is required\n/);
  });
});

describe("credentials", () => {
  test.each([
    ["redis://SECRET@h:6379/0", "redis://***@h:6379/0"],
    ["rediss://SECRET:@h", "rediss://***@h"],
    ["REDIS://SEC RET@h", "REDIS://***@h"],
    ["redis://user:SECRET@h", "redis://user:***@h"],
    ["redis://user:SEC@RET@h", "redis://user:***@h"],
    ["redis://h:6379", "redis://h:6379"],
    ["redis://h?token=SECRET", "redis://h?token=***"],
    ["postgres://role@h/db", "postgres://role@h/db"],
    [
      "redis+sentinel://:SECRET@h,h2/m?sentinelPassword=SECRET",
      "redis+sentinel://:***@h,h2/m?sentinelPassword=***",
    ],
    ["nats://SECRET@h,h2/bucket", "nats://***@h,h2/bucket"],
    ["etcd://user:SEC/RET@h", "etcd://user:***@h"],
    [
      "postgres://role:SECRET@h/db?sslmode=x&apikey=SECRET",
      "postgres://role:***@h/db?sslmode=***&apikey=***",
    ],
    ["postgres://h/db?user=u&sslkey=SECRET", "postgres://h/db?user=***&sslkey=***"],
    ["https://SECRET@h/", "https://***@h/"],
  ])("of %s are masked in every message", async (url, masked) => {
    const { err } = await cli(["new", url]);
    expect(err).toContain(`new takes no arguments, got ${JSON.stringify(masked)}\n`);
    const { message } = describeError(new Error(`cannot reach ${url}, sorry`));
    // In the middle of a text, a space ends an address.
    if (!url.includes(" ")) expect(message).toContain(masked);
    if (!url.includes(" ")) expect(message).not.toMatch(/SECRET/);
  });

  test("of a store are not in its description", async () => {
    const { code, err } = await cli("lease inspect --store redis://SECRET@127.0.0.1:1?x=SECRET", nowhere);
    expect([code, err]).toEqual([1, expect.not.stringContaining("SECRET")]);
  });
});

describe("a package that is missing", () => {
  test.each([
    [
      "redis://u:secret@h",
      "redis:// requires a client package, and none is installed: run npm install ioredis or npm install redis",
    ],
    [
      "postgres://u:secret@h",
      "postgres:// requires a client package, and none is installed: run npm install pg or npm install postgres",
    ],
    [
      "mysql://u:secret@h/db",
      "mysql:// requires a client package, and none is installed: run npm install mysql2",
    ],
    [
      "nats://u:secret@h",
      "nats:// requires a client package, and none is installed: run npm install @nats-io/kv @nats-io/transport-node or npm install nats",
    ],
  ])("for %s is reported with the command that installs it", async (url, message) => {
    const line = `lease inspect --store ${url}`;
    expect(await cli(line, nowhere)).toMatchObject({ code: 1, out: "", err: `error: ${message}\n` });
    const { err } = await cli(`${line} --json`, nowhere);
    expect(JSON.parse(err)).toEqual({ error: { code: "ERR_PACKAGE", message } });
  });

  test("for sqlite: is better-sqlite3, if the runtime has no SQLite", async () => {
    const old = (name: string) =>
      name === "node:sqlite" ? Promise.reject(new Error("no such module")) : import(/* @vite-ignore */ name);
    expect(
      await cli("pool fill --store sqlite:x.db --types types.json --type farmer", {
        ...nowhere,
        import: old,
      }),
    ).toMatchObject({
      code: 1,
      err: "error: sqlite: on this runtime requires a client package, and none is installed: run npm install better-sqlite3\n",
    });
  });
});

describe("an installed package", () => {
  /** Puts a package into a folder. */
  const install = (name: string, code: string) => {
    const folder = join(cwd, "has", "node_modules", name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "index.js"), code);
  };

  test("that cannot be loaded is an error with the reason", async () => {
    install("ioredis", "throw new Error('built for another Node, at redis://u:secret@h')");
    const { code, err } = await cli("lease inspect --store redis://h", { ...nowhere, cwd: join(cwd, "has") });
    expect(code).toBe(1);
    expect(err).toBe(
      "error: the package ioredis cannot be loaded: built for another Node, at redis://u:***@h\n",
    );
  });

  test("that fails has the passwords in its message masked", async () => {
    install(
      "pg",
      "exports.Pool = class { on() {} end() {} query() { throw new Error('no postgres://u:s3cr3t@h?password=s3cr3t') } }",
    );
    const { code, err } = await cli("lease inspect --store postgres://u:s3cr3t@h/db?password=s3cr3t", {
      ...nowhere,
      cwd: join(cwd, "has"),
    });
    expect(code).toBe(1);
    expect(err).toBe("error: postgres://u:***@h/db: no postgres://u:***@h?password=***\n");
  });
});

describe("pools in memory", () => {
  const pool = (what: string, more = "") => `pool ${what} --store memory: --types types.json ${more}`;

  test("are filled, with lines of progress without a terminal", async () => {
    const { code, out, err } = await cli(pool("fill", "--type farmer --to 700"), { cwd });
    expect([code, out]).toEqual([0, "farmer: 700 IDs are available, 700 of them new.\n"]);
    expect(err).toMatch(/^farmer: \d+ of 700, \d+%\n/);
  });

  test("are filled with a bar on a terminal", async () => {
    const { err } = await cli(pool("fill", "--type farmer --to 700"), {
      cwd,
      terminal: ["stderr"],
      columns: 60,
    });
    expect(err.startsWith("\r[####")).toBe(true);
    expect(err.endsWith("] farmer: 700 of 700, 100%\u001b[K\n")).toBe(true);
  });

  test("are filled without progress with --json", async () => {
    expect(await cli(pool("fill", "--type farmer --to 10 --json"), { cwd })).toMatchObject({
      code: 0,
      out: '{"type":"farmer","available":10,"added":10,"target":10,"isStopped":false}\n',
      err: "",
    });
  });

  test("take IDs that were issued elsewhere, from the arguments or the standard input", async () => {
    expect(
      await cli(pool("import 8349257232 3029384756 8349257232", "--type farmer"), { cwd }),
    ).toMatchObject({
      code: 0,
      out: "farmer: 2 IDs are taken now, 1 were taken before.\n",
      err: "farmer: 3\n",
    });
    const stdin = "8349257232\n\n 3029384756 \n1234567890\n";
    const { code, out } = await cli(pool("import", "--type farmer"), { cwd, stdin });
    expect([code, out]).toEqual([
      1,
      "farmer: 2 IDs are taken now, 0 were taken before. 1 are not IDs of the type: 1234567890\n",
    ]);
    const { out: json, err } = await cli(pool("import", "--type farmer --json"), { cwd, stdin });
    const totals = { type: "farmer", taken: 2, known: 0, outside: 1, firstOutside: ["1234567890"] };
    expect([JSON.parse(json), err]).toEqual([totals, ""]);
  });

  test("refuse a line that is no ID, with its number, and keep the IDs of the steps before", async () => {
    const ids = new NumericIdType({ name: "farmer", length: 10 }).generateIds(5002);
    ids[5001] = "83-49";
    const { code, out, err } = await cli(pool("import", "--type farmer"), { cwd, stdin: ids.join("\n") });
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain(
      'error: ID 5002 must be a string of digits, got "83-49"; 5000 IDs before it were imported\n',
    );
  });

  test("have nothing to export when they are new, and refuse another ID to start after", async () => {
    expect(await cli(pool("export", "--type farmer"), { cwd })).toMatchObject({ code: 0, out: "" });
    expect(await cli(pool("export", "--type farmer --after 12"), { cwd })).toMatchObject({
      code: 2,
      err: expect.stringContaining('after must be a string of 10 digits, got "12"'),
    });
  });

  test("without further IDs exit with 1", async () => {
    const { code, out, err } = await cli(pool("fill", "--type tiny"), { cwd });
    expect(code).toBe(1);
    expect(out).toMatch(/^tiny: \d+ IDs are available, \d+ of them new\.\n$/);
    expect(err).toMatch(/error: the type "tiny" has \d+ IDs left, 6000 requested\n$/);
  });

  test("keep their IDs when the fill is interrupted", async () => {
    const controller = new AbortController();
    const onWrite = (where: string) => {
      if (where === "stderr") controller.abort();
    };
    const { code, out } = await cli(pool("fill", "--type farmer --to 1000000"), {
      cwd,
      onWrite,
      signal: controller.signal,
    });
    expect(code).toBe(130);
    expect(out).toMatch(/^farmer: \d+ IDs are available, \d+ of them new\. The fill was interrupted\.\n$/);
    const { code: early, out: none } = await cli(pool("fill", "--type farmer --json"), {
      cwd,
      signal: AbortSignal.abort(),
    });
    expect([early, JSON.parse(none)]).toEqual([
      130,
      { type: "farmer", available: 0, added: 0, target: 6000, isStopped: true },
    ]);
  });

  test("report their status", async () => {
    const { code, out } = await cli(pool("status", "--type farmer"), { cwd });
    expect(code).toBe(0);
    expect(out).toMatch(
      /^type +farmer\navailable +0\ntaken +0\nremaining +about \d+\nexhausted +no\nbeing filled +no\n$/,
    );
    expect(JSON.parse((await cli(pool("status", "--type tiny --json"), { cwd })).out)).toEqual({
      type: "tiny",
      available: 0,
      taken: 0,
      remaining: expect.stringMatching(/^\d+$/),
      left: expect.stringMatching(/^\d+$/),
      isExact: true,
      isExhausted: false,
      isFilling: false,
      isRefused: false,
    });
  });

  test("that are not in the store are registered when they are accepted, and say so", async () => {
    // A store in memory is new for each command. test/integration/cli.test.ts has one that is blocked, and one that is not.
    expect(await cli(pool("accept", "--type farmer"), { cwd })).toMatchObject({
      code: 0,
      out: "The pool of farmer was not in the store, and is registered there now: services that issued from it before issue IDs again.\n",
    });
    const { out } = await cli(pool("accept", "--type farmer --json"), { cwd });
    expect(JSON.parse(out)).toEqual({ type: "farmer", isAccepted: true });
  });

  test.each([
    ["pool fill --types types.json --type farmer", "--store or BITFLAKE_STORE is required"],
    ["pool fill --store memory: --type farmer", "--types is required"],
    ["pool fill --store memory: --types types.json", "--type is required"],
    [
      "pool fill --store memory: --types types.json --type farmer --to 0",
      /^--to must be a whole number from 1 to \d+, got "0"$/,
    ],
    [
      "lease inspect --store memory: --name {x}",
      /^--name must be a string of 1 to 100 characters in one line, without braces, got "\{x\}"$/,
    ],
  ])("and leases exit with 2 for wrong usage: %s", async (line, message) => {
    const { code, err, out } = await cli(line, { cwd });
    expect([code, out]).toEqual([2, ""]);
    const error = (err.split("\n")[0] as string).replace("error: ", "");
    if (typeof message === "string") expect(error).toBe(message);
    else expect(error).toMatch(message);
  });
});

describe("a store that cannot keep pools", () => {
  /** The addresses of all kinds of stores, and what a pool itself says to such a backend. */
  const answers = [
    "redis://h",
    "postgres://h",
    "mysql://h/db",
    "nats://h",
    "etcd://h",
    "sqlite:x.db",
    "memory:",
  ].map((url) => {
    const type = new NumericIdType({ name: "farmer", length: 10 });
    try {
      return { url, rule: void new IdPool({ backend: unconnectedBackend(storeKindOf(url)), type }) };
    } catch (error) {
      return { url, rule: (error as ArgumentError).rule };
    }
  });

  test("is one of several kinds", () => {
    const refused = answers.filter(({ rule }) => rule !== undefined).map(({ url }) => url);
    expect(refused).toEqual(expect.arrayContaining(["redis://h", "nats://h", "etcd://h"]));
    for (const url of ["memory:", "mysql://h/db"]) expect(refused).not.toContain(url);
  });

  test.each(answers)(
    "is refused by the rule of the pool, before it is opened: $url",
    async ({ url, rule }) => {
      const pool = (what: string) => `${what} --store ${url} --types types.json`;
      if (rule === undefined) return expect(() => assertKeepsPools(url)).not.toThrow();
      const message = `error: --store must not be ${url.split(":")[0]}:, because pools of numeric IDs require ${rule}`;
      for (const what of [
        "pool fill --type farmer",
        "pool status --type farmer",
        "pool accept --type farmer",
        "serve",
      ]) {
        const { code, err, out } = await cli(pool(what), nowhere);
        expect([code, out]).toEqual([2, ""]);
        const remedy = what === "serve" ? "; or set --pool-store" : "";
        expect(err.split("\n")[0]).toBe(message + remedy);
      }
    },
  );
});

describe("setup", () => {
  test("prints the SQL of each database for a migration, and connects to none", async () => {
    for (const [url, dialect] of [
      ["postgres://h", "postgres"],
      ["mysql://h/db", "mysql"],
      ["sqlite:x.db", "sqlite"],
    ] as const) {
      const line = `setup --store ${url} --store-prefix ids --print-sql`;
      const { code, out, err } = await cli(line, nowhere);
      expect([code, err, out]).toEqual([0, "", setupSql({ dialect, prefix: "ids" })]);
      const some = await cli(`${line} --feature lease --feature counter --json`, nowhere);
      expect(JSON.parse(some.out)).toEqual({
        sql: setupSql({ dialect, prefix: "ids" }, ["lease", "counter"]),
      });
    }
  });

  test.each(["redis://h", "nats://h", "etcd://h", "memory:"])("has no SQL for %s", async (url) => {
    const { code, out, err } = await cli(`setup --store ${url} --print-sql`, nowhere);
    expect([code, out]).toEqual([2, ""]);
    const reason = `because ${url.split(":")[0]}: has no tables`;
    expect(err).toContain(`--print-sql requires postgres://..., mysql://... or sqlite:PATH, ${reason}\n`);
  });

  test("of a store that needs nothing does nothing", async () => {
    expect(await cli("setup --store memory:", nowhere)).toMatchObject({
      code: 0,
      out: "Nothing is missing in memory:\n",
    });
  });

  test("refuses a feature that does not exist, with the name of the flag", async () => {
    const { code, err } = await cli("setup --store memory: --feature pools", nowhere);
    expect([code, err]).toEqual([
      2,
      expect.stringMatching(/^error: --feature must be one of lease, .*, got "pools"\n/),
    ]);
  });
});

test("a missing file is not created by commands that only read", async () => {
  for (const line of ["pool status --types types.json --type farmer", "lease inspect"]) {
    const { code, err } = await cli(`${line} --store sqlite:absent.db`, { cwd });
    expect([code, err]).toEqual([1, "error: sqlite:absent.db: the file does not exist\n"]);
  }
});

test.each([
  [
    "--store-prefix {x}",
    "--store-prefix must be a string of 1 to 100 characters in one line, without braces",
  ],
  ["--store-timeout-ms 0", "--store-timeout-ms must be a whole number from 1 to"],
])("a wrong setting of the store, %s, is named in the error", async (flags, message) => {
  const folder = join(cwd, "up", "node_modules", "pg");
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, "index.js"),
    "exports.Pool = class { on() {} end() {} async query() { return { rows: [{ programUrl: 1 }] } } }",
  );
  const { code, err } = await cli(`lease inspect --store postgres://h/db ${flags}`, { cwd: join(cwd, "up") });
  expect([code, err]).toEqual([2, expect.stringContaining(`error: ${message}`)]);
});

test("close resolves although the client does not close", async () => {
  const folder = join(cwd, "stuck", "node_modules", "pg");
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, "index.js"),
    "exports.Pool = class { on() {} end() { return new Promise(() => {}) } async query() { return { rows: [{ programUrl: 1 }] } } }",
  );
  const store = await openStore("postgres://u:p@h/db?x=1", storeContext({ cwd: join(cwd, "stuck") }));
  expect(store.description).toBe("postgres://u:***@h/db");
  vi.useFakeTimers();
  const closed = store.close();
  await vi.advanceTimersByTimeAsync(2000);
  await closed;
});
