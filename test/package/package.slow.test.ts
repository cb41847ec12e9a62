// The packed package, installed into an empty project and used from ESM, CommonJS and TypeScript.

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createContext, runInContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { VERSION } from "../../src/version.ts";
import { install, makeProject, root, runIn } from "./project.ts";

const project = makeProject();
const run = (command: string, ...args: string[]) => runIn(project, command, ...args);

const node = (file: string, code: string) => {
  writeFileSync(join(project, file), code);
  return run(process.execPath, file).trim();
};

beforeAll(() => install(project));
afterAll(() => rmSync(project, { recursive: true, force: true }));

/** The exports of each entry. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  bitflake: [
    "ArgumentError",
    "BitflakeError",
    "ClockBackwardsError",
    "ClockStalledError",
    "EpochError",
    "InvalidIdError",
    "LayoutError",
    "PRESET_HIGH_THROUGHPUT",
    "PRESET_LARGE_CLUSTER",
    "PRESET_MINIMAL",
    "PRESET_SAFE_INTEGER",
    "PRESET_SINGLE_DC",
    "PRESET_TWITTER",
    "SequenceExhaustedError",
    "SnowflakeGenerator",
    "TimestampOverflowError",
    "UnsupportedError",
    "capacity",
    "decode",
    "encode",
    "isId",
    "machineIdFromHostname",
    "makeGenerator",
    "makeGeneratorFromEnv",
    "nextId",
    "nextIds",
    "parseId",
    "randomString",
    "timestampId",
    "uuid",
    "uuidv7",
  ],
  "bitflake/backend": [
    "ArgumentError",
    "BackendError",
    "fromBunRedis",
    "fromBunSql",
    "fromD1",
    "fromDenoKv",
    "fromDurableObject",
    "fromDurableObjectStub",
    "fromDynamoDB",
    "fromEtcd",
    "fromIORedis",
    "fromLibsql",
    "fromMysql2",
    "fromNatsKv",
    "fromNodeRedis",
    "fromPGlite",
    "fromPg",
    "fromPostgresJs",
    "fromSqlite",
    "fromUpstash",
    "memory",
    "setup",
    "setupSql",
  ],
  "bitflake/client": ["ArgumentError", "BitflakeClient", "InvalidIdError", "ServiceError"],
  "bitflake/counter": [
    "ArgumentError",
    "BackendError",
    "Counter",
    "CounterBackwardsError",
    "CounterExhaustedError",
  ],
  "bitflake/drizzle": ["ArgumentError", "InvalidIdError", "mysqlId", "parseExactJson", "pgId", "sqliteId"],
  "bitflake/events": ["publishGeneratorEvents"],
  "bitflake/explain": [
    "ArgumentError",
    "Audit",
    "FINDING_KINDS",
    "InvalidIdError",
    "LayoutError",
    "drawHistogram",
    "explain",
  ],
  "bitflake/express": ["ArgumentError", "BackendError", "idempotency", "rateLimit"],
  "bitflake/fastify": ["ArgumentError", "BackendError", "idempotency", "rateLimit"],
  "bitflake/hono": ["ArgumentError", "BackendError", "idempotency", "rateLimit"],
  "bitflake/idempotency": [
    "ArgumentError",
    "BackendError",
    "FingerprintError",
    "Idempotency",
    "InFlightError",
    "LockLostError",
    "NotKeptError",
    "UnsupportedError",
    "fingerprint",
    "idempotent",
    "jsonFingerprint",
    "storedKey",
  ],
  "bitflake/kysely": ["ArgumentError", "IdColumnsPlugin", "InvalidIdError", "parseExactJson"],
  "bitflake/lease": [
    "ArgumentError",
    "BackendError",
    "ClockBackwardsError",
    "ClockSkewError",
    "ClockStalledError",
    "EpochError",
    "InvalidIdError",
    "LayoutError",
    "LeaseExpiredError",
    "LeaseFenceError",
    "NamespaceError",
    "NoNodeAvailableError",
    "SequenceExhaustedError",
    "SnowflakeGenerator",
    "StoreCutOffError",
    "TimestampOverflowError",
    "UnsupportedError",
    "inspect",
    "leaseNode",
  ],
  "bitflake/mask": ["ArgumentError", "InvalidIdError", "masked", "scatter"],
  "bitflake/migrate": [
    "ArgumentError",
    "Backfill",
    "InvalidIdError",
    "LayoutError",
    "TickFullError",
    "backfill",
    "proveMigration",
  ],
  "bitflake/node": ["ArgumentError", "idempotency", "rateLimit", "toNodeListener"],
  "bitflake/numeric": [
    "ArgumentError",
    "BackendError",
    "CounterBackwardsError",
    "CounterExhaustedError",
    "IdPool",
    "IdPoolEmptyError",
    "IdPoolExhaustedError",
    "IdPoolHistoryError",
    "InvalidIdError",
    "NamespaceError",
    "NoValidIdError",
    "NumericIdType",
    "PermutedIds",
    "UnsupportedError",
    "defineIdTypes",
    "verhoeff",
  ],
  "bitflake/prisma": ["ArgumentError", "InvalidIdError", "idExtension"],
  "bitflake/ratelimit": [
    "ArgumentError",
    "BackendError",
    "RateLimit",
    "addressKey",
    "legacyRateLimitHeaders",
    "rateLimitHeaders",
    "rateLimited",
  ],
  "bitflake/service": ["ArgumentError", "BackendError", "createService", "listen", "nodeListener"],
  "bitflake/sql": ["ArgumentError", "LayoutError", "sqlFunctions"],
  "bitflake/testing": [
    "ArgumentError",
    "BackendError",
    "ClockBackwardsError",
    "ClockStalledError",
    "ConformanceError",
    "EpochError",
    "InvalidIdError",
    "LayoutError",
    "SequenceExhaustedError",
    "SnowflakeGenerator",
    "TimestampOverflowError",
    "UnsupportedError",
    "conformanceCases",
    "deterministic",
    "reset",
    "runConformance",
    "testClock",
    "testStore",
  ],
  "bitflake/text": [
    "ArgumentError",
    "InvalidIdError",
    "LayoutError",
    "base32",
    "base58",
    "base62",
    "hex",
    "idSchema",
    "prefixed",
    "readIds",
    "uuidSchema",
    "writeIds",
  ],
  "bitflake/threads": [
    "ArgumentError",
    "ClockBackwardsError",
    "ClockStalledError",
    "EpochError",
    "InvalidIdError",
    "LayoutError",
    "LeaseExpiredError",
    "SequenceExhaustedError",
    "SharedGenerator",
    "SnowflakeGenerator",
    "TimestampOverflowError",
    "UnsupportedError",
  ],
  "bitflake/typeorm": ["ArgumentError", "IdSubscriber", "InvalidIdError", "idColumn", "idTransformer"],
};

describe("the installed package", () => {
  test.each(Object.entries(NAMES))(
    "%s exports these names, and no other, to import and to require",
    (path, names) => {
      const show =
        "console.log(JSON.stringify(Object.keys(given).filter((name) => name !== '__esModule').sort()))";
      expect(JSON.parse(node("names.mjs", `import * as given from "${path}"; ${show}`))).toEqual(names);
      expect(JSON.parse(node("names.cjs", `const given = require("${path}"); ${show}`))).toEqual(names);
    },
  );

  test("the types declare the exported values, and no other", () => {
    const files = Object.entries(NAMES).map(([path, names]) => {
      const uses = names.map((name, at) => `export const value${at}: unknown = given.${name};`);
      // keyof a namespace import has the values only.
      const exact = `type Same<A, B> = [A, B] extends [B, A] ? true : never;
      export const same: Same<keyof typeof given, ${names.map((name) => `"${name}"`).join(" | ")}> = true;`;
      const file = `values-${path.replace("/", "-")}.mts`;
      writeFileSync(join(project, file), [`import * as given from "${path}";`, ...uses, exact].join("\n"));
      return file;
    });
    const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
    const options = ["--module", "nodenext", "--target", "es2022", "--lib", "es2022"];
    run(process.execPath, tsc, "--noEmit", "--strict", ...options, ...files);
  });

  test("package.json lists these subpaths, each with types for import and require", () => {
    const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { exports: object };
    const paths = Object.keys(exports).map((path) => path.replace(".", "bitflake"));
    expect(paths.filter((path) => path !== "bitflake/package.json")).toEqual(Object.keys(NAMES));
  });

  test.each(["import.mjs", "require.cjs"])(
    "shares its classes between the root and the subpaths: %s",
    (file) => {
      const load = file.endsWith("mjs") ? "await import" : "require";
      const out = node(
        file,
        `const { InvalidIdError, SnowflakeGenerator } = ${load}("bitflake");
      const { base32 } = ${load}("bitflake/text");
      const { SharedGenerator } = ${load}("bitflake/threads");
      let known = new SharedGenerator("twitter") instanceof SnowflakeGenerator;
      known &&= SharedGenerator.name === "SharedGenerator";
      try { base32.decode("?"); } catch (error) { known &&= error instanceof InvalidIdError; }
      const { memory, BackendError } = ${load}("bitflake/backend");
      const { leaseNode, LeaseExpiredError } = ${load}("bitflake/lease");
      const { Counter } = ${load}("bitflake/counter");
      (async () => {
        const lease = await leaseNode({ backend: memory(), threads: true });
        known &&= lease.generator instanceof SharedGenerator;
        await lease.release();
        try { lease.generator.nextId(); } catch (error) { known &&= error instanceof LeaseExpiredError; }
        const broken = { change() { throw new Error("down"); } };
        await new Counter({ backend: broken, name: "n" }).next().catch((error) => {
          known &&= error instanceof BackendError;
        });
        const { IdPool, NumericIdType, PermutedIds } = ${load}("bitflake/numeric");
        const type = new NumericIdType({ name: "n", length: 10 });
        await new IdPool({ backend: broken, type }).issue().catch((error) => {
          known &&= error instanceof BackendError;
        });
        const counter = new Counter({ backend: memory(), name: "n" });
        const id = await new PermutedIds({ type, key: "00".repeat(16), counter }).issue();
        known &&= type.validate(id).valid;
        const { Idempotency, InFlightError } = ${load}("bitflake/idempotency");
        const once = new Idempotency({ backend: memory(), name: "n" });
        await once.once("k", "f", () => once.once("k", "f", () => 1)).catch((error) => {
          known &&= error instanceof InFlightError;
        });
        const { RateLimit } = ${load}("bitflake/ratelimit");
        await new RateLimit({ backend: broken, name: "n", limit: 1, windowMs: 1 }).limit("k").catch((error) => {
          known &&= error instanceof BackendError;
        });
        const { BitflakeClient, ServiceError } = ${load}("bitflake/client");
        const lost = new BitflakeClient({ url: "http://a", retry: false, fetch: () => Promise.reject("down") });
        await lost.nextId().catch((error) => {
          known &&= error instanceof ServiceError;
        });
        const { createService } = ${load}("bitflake/service");
        const service = createService({ backend: memory() });
        known &&= (await service(new Request("http://localhost/generate_snowflake_id"))).status === 200;
        await service.stop();
        console.log(known);
      })();`,
      );
      expect(out).toBe("true");
    },
  );

  test("repeats no ID and keeps uuidv7 in order when loaded as ESM and as CommonJS in one process", () => {
    const out = node(
      "both.mjs",
      `import { createRequire } from "node:module";
      import * as esm from "bitflake";
      const cjs = createRequire(import.meta.url)("bitflake");
      if (esm.nextId === cjs.nextId) throw new Error("one copy, not two");
      const ids = [];
      for (let i = 0; i < 50_000; i++) {
        ids.push(esm.makeGenerator("twitter").nextId(), cjs.makeGenerator("twitter").nextId());
      }
      for (let i = 0; i < 1000; i++) ids.push(...esm.nextIds(3), cjs.nextId(), esm.nextId());
      const uuids = [];
      for (let i = 0; i < 1000; i++) uuids.push(esm.uuidv7(), cjs.uuidv7());
      const inOrder = uuids.every((id, i) => i === 0 || id > uuids[i - 1]);
      console.log(ids.length - new Set(ids).size, inOrder);`,
    );
    expect(out).toBe("0 true");
  });

  test.each([
    [
      "page.mjs",
      'import { createService } from "bitflake/service"; import { memory } from "bitflake/backend";',
    ],
    [
      "page.cjs",
      'const { createService } = require("bitflake/service"); const { memory } = require("bitflake/backend");',
    ],
  ])("has the console and the reference in %s, loaded when they are requested", (file, imports) => {
    const code = `${imports}
      (async () => {
        const service = createService({ backend: memory() });
        const headers = { accept: "text/html" };
        for (const path of ["/", "/docs"]) {
          const page = await (await service(new Request("http://localhost" + path, { headers }))).text();
          console.log(/<title>(.*)<\\/title>/.exec(page)[1]);
        }
        await service.stop();
      })();`;
    expect(node(file, code)).toBe("bitflake console\nbitflake API reference");
  });

  test("serves a service of the CommonJS build by the ESM build", () => {
    const out = node(
      "served.mjs",
      `import { createRequire } from "node:module";
      import { memory } from "bitflake/backend";
      import { listen } from "bitflake/service";
      const { createService } = createRequire(import.meta.url)("bitflake/service");
      const service = createService({ backend: memory() });
      const server = await listen(service, { port: 0 });
      console.log((await fetch(server.url + "/generate_snowflake_id")).status);
      await server.close();
      await service.stop();`,
    );
    expect(out).toBe("200");
  });

  test("reads no clock, randomness or environment when it is imported", () => {
    // A realm in which each of these throws when it is read. Not a process, because Node's own loader reads them.
    const realm: Record<string, unknown> = {};
    for (const name of ["process", "Deno", "crypto", "setTimeout"]) {
      Object.defineProperty(realm, name, {
        get() {
          throw new Error(`${name} was read`);
        },
      });
    }
    const context = createContext(realm);
    runInContext('Date.now = Math.random = () => { throw new Error("called"); }', context);
    const load = (file: string): object => {
      const code = readFileSync(join(project, "node_modules/bitflake/dist", file), "utf8");
      const module = { exports: {} };
      runInContext(`(module, exports, require) => {${code}\n}`, context)(module, module.exports, load);
      return module.exports;
    };
    const names = "Object.getOwnPropertyNames(globalThis).filter((name) => name !== 'bitflake')";
    const before = runInContext(names, context);
    realm.bitflake = load("index.cjs");
    for (const path of Object.keys(NAMES).slice(1)) load(path.replace("bitflake/", "./") + ".cjs");
    expect(runInContext(names, context)).toEqual(before);
    expect(runInContext("Object.getOwnPropertySymbols(globalThis)", context)).toEqual([]);
    expect(() => runInContext("bitflake.nextId()", context)).toThrow("called");
    expect(() => runInContext("bitflake.uuid()", context)).toThrow("crypto");
  });

  test("VERSION is the version of package.json", () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
    expect(VERSION).toBe(version);
  });

  test("has no dependencies, and its source maps lead to its own sources, without a copy of them", () => {
    const installed = join(project, "node_modules", "bitflake");
    const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
    expect(manifest.dependencies ?? {}).toEqual({});
    const modules = readdirSync(join(installed, "dist")).filter((file) => file.endsWith(".js"));
    // The largest files have no maps.
    const mapped = modules.filter(
      (file) => !["cli.js", "console.js", "service.js", "testing.js"].includes(file),
    );
    expect(mapped.length).toBe(Object.keys(NAMES).length - 1);
    for (const file of mapped) {
      const map = JSON.parse(readFileSync(join(installed, "dist", `${file}.map`), "utf8")) as {
        sources: string[];
        sourcesContent?: unknown;
      };
      expect(map.sources.length).toBeGreaterThan(0);
      expect(map.sourcesContent).toBeUndefined();
      for (const source of map.sources) readFileSync(join(installed, "dist", source));
    }
  });

  test("leads a stack trace to the line of the source that threw", () => {
    writeFileSync(join(project, "throws.mjs"), `import { parseId } from "bitflake"; parseId("x");`);
    const { stderr } = spawnSync(process.execPath, ["--enable-source-maps", "throws.mjs"], {
      cwd: project,
      encoding: "utf8",
    });
    const [, file, line] = /\((?:file:\/\/)?(\S+parse\.ts):(\d+):\d+\)/.exec(stderr) ?? [];
    expect(readFileSync(file as string, "utf8").split("\n")[Number(line) - 1]).toContain("InvalidIdError");
  });

  test("takes less than 4.1 MB unpacked", () => {
    const [kilobytes = ""] = run("du", "-sk", "--apparent-size", "node_modules/bitflake").split("\t");
    expect(Number(kilobytes)).toBeGreaterThan(100);
    expect(Number(kilobytes)).toBeLessThan(4100);
  });
});
