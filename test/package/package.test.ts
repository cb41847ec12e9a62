// The package as a user gets it: packed, installed into an empty project, and used from ESM, CJS and TypeScript.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createContext, runInContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { VERSION } from "../../src/version.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const project = mkdtempSync(join(tmpdir(), "bitflake-user-"));

function run(command: string, ...args: string[]): string {
  // The lifecycle variables of the npm that runs these tests are none of the inner npm's business.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("npm_")));
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: project, encoding: "utf8", env });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}:\n${stdout}${stderr}`);
  return stdout;
}

const node = (file: string, code: string) => {
  writeFileSync(join(project, file), code);
  return run(process.execPath, file).trim();
};

beforeAll(() => {
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "user", private: true }));
  const packed = JSON.parse(run("npm", "pack", root, "--json", "--ignore-scripts")) as { filename: string }[];
  run("npm", "install", "--offline", "--no-audit", "--no-fund", `./${packed[0]?.filename}`);
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

/** What each subpath gives, and no more. */
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
    "fromIORedis",
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
  "bitflake/counter": [
    "ArgumentError",
    "BackendError",
    "Counter",
    "CounterBackwardsError",
    "CounterExhaustedError",
  ],
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
  ],
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
  "bitflake/ratelimit": [
    "ArgumentError",
    "BackendError",
    "RateLimit",
    "addressKey",
    "rateLimitHeaders",
    "rateLimited",
  ],
  "bitflake/service": ["ArgumentError", "BackendError", "createService", "listen", "nodeListener"],
  "bitflake/text": [
    "ArgumentError",
    "InvalidIdError",
    "base32",
    "base58",
    "base62",
    "hex",
    "prefixed",
    "readIds",
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
};

/** Those that speak of requests and responses, which the types of browsers have, and those of Node. */
const ON_FETCH = ["bitflake/idempotency", "bitflake/ratelimit", "bitflake/service"];

describe("the installed package", () => {
  test.each(Object.entries(NAMES))(
    "%s gives every name to import and to require, and no more",
    (path, names) => {
      const show =
        "console.log(JSON.stringify(Object.keys(given).filter((name) => name !== '__esModule').sort()))";
      expect(JSON.parse(node("names.mjs", `import * as given from "${path}"; ${show}`))).toEqual(names);
      expect(JSON.parse(node("names.cjs", `const given = require("${path}"); ${show}`))).toEqual(names);
    },
  );

  // One compilation for all of a kind, which takes as long as one of them alone.
  test.each([
    ["es2022", Object.keys(NAMES).filter((path) => !ON_FETCH.includes(path))],
    ["es2022,dom", ON_FETCH],
  ])("with the types of %s, %j declare as values what is there, and nothing else", (lib, paths) => {
    const files = paths.map((path) => {
      const names = NAMES[path] ?? [];
      const uses = names.map((name, at) => `export const value${at}: unknown = given.${name};`);
      // Of a namespace import, keyof knows the values only.
      const exact = `type Same<A, B> = [A, B] extends [B, A] ? true : never;
      export const same: Same<keyof typeof given, ${names.map((name) => `"${name}"`).join(" | ")}> = true;`;
      const file = `values-${path.replace("/", "-")}.mts`;
      writeFileSync(join(project, file), [`import * as given from "${path}";`, ...uses, exact].join("\n"));
      return file;
    });
    const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
    const options = ["--module", "nodenext", "--target", "es2022", "--lib", lib];
    run(process.execPath, tsc, "--noEmit", "--strict", ...options, ...files);
  });

  test("its subpaths are listed, each with types for import and require", () => {
    const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { exports: object };
    const paths = Object.keys(exports).map((path) => path.replace(".", "bitflake"));
    expect(paths.filter((path) => path !== "bitflake/package.json")).toEqual(Object.keys(NAMES));
  });

  test.each(["import.mjs", "require.cjs"])("a subpath's classes are the root's: %s", (file) => {
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
        const { createService } = ${load}("bitflake/service");
        const service = createService({ backend: memory() });
        known &&= (await service(new Request("http://localhost/generate_snowflake_id"))).status === 200;
        await service.stop();
        console.log(known);
      })();`,
    );
    expect(out).toBe("true");
  });

  test("loaded as ESM and as CJS in one process, it repeats no ID and keeps uuidv7 in order", () => {
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

  test("a service made by the one is served by the other", () => {
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
    // A bare realm in which to touch any of these is an error. Node's own loader reads them, so not in a process.
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
    realm.bitflake = load("index.cjs");
    for (const path of Object.keys(NAMES).slice(1)) load(path.replace("bitflake/", "./") + ".cjs");
    expect(runInContext("Object.getOwnPropertySymbols(globalThis)", context)).toEqual([]);
    expect(() => runInContext("bitflake.nextId()", context)).toThrow("called");
    expect(() => runInContext("bitflake.uuid()", context)).toThrow("crypto");
  });

  test.each([
    ["node16", "use.mts"],
    ["node16", "use.cts"],
    ["nodenext", "use.mts"],
    ["nodenext", "use.cts"],
    ["bundler", "use.mts"],
  ])("resolves its types under %s from %s", (moduleResolution, file) => {
    writeFileSync(
      join(project, file),
      `import { decode, type DecodedId, type GeneratorOptions, makeGenerator, type PresetName } from "bitflake";
      const name: PresetName = "twitter";
      const options: GeneratorOptions = { machineId: 7 };
      const id: bigint = makeGenerator(name, options).nextId();
      const decoded: DecodedId = decode(id, "twitter");
      import { base32, type PrefixedId, prefixed } from "bitflake/text";
      import { SharedGenerator, type SharedHandle } from "bitflake/threads";
      const user: PrefixedId<"user"> = prefixed("user", base32).encode(id);
      // @ts-expect-error: a user's ID is no order's
      const order: PrefixedId<"order"> = user;
      const handle: SharedHandle = new SharedGenerator(name, options).handle;
      const shared: bigint = SharedGenerator.attach(handle).nextId();
      // @ts-expect-error: what is internal is not in the types
      new SharedGenerator(name, options, handle.memory);
      import { type Backend, BackendError, fromPg, memory } from "bitflake/backend";
      import { Counter } from "bitflake/counter";
      import { type Lease, leaseNode, type LeaseOptions } from "bitflake/lease";
      const backend: Backend = memory();
      const leaseOptions: LeaseOptions = { backend, preset: name, datacenterId: 1, threads: true };
      const lease: Promise<Lease> = leaseNode(leaseOptions);
      const attached: Promise<SharedGenerator> = leaseNode({ backend, threads: true }).then((held) => held.generator);
      const dispose: (held: Lease) => Promise<void> = (held) => held[Symbol.asyncDispose]();
      const count: Promise<bigint> = new Counter({ backend, name: "n", floor: 1n }).next();
      import { defineIdTypes, IdPool, NumericIdType, type NumericRules, PermutedIds } from "bitflake/numeric";
      const types = defineIdTypes({ farmer: { length: 10, rules: { extends: "mosip", sequenceLimit: null } } });
      const rules: NumericRules = types.farmer.rules;
      const pool = new IdPool({ backend, type: types.farmer, waitMs: 0 });
      const issued: Promise<string> = pool.issue({ requestKey: "form 17" });
      const disposePool: (held: IdPool) => Promise<void> = (held) => held[Symbol.asyncDispose]();
      const counter = new Counter({ backend, name: "farmers" });
      const permuted = new PermutedIds({ type: types.farmer, key: new Uint8Array(32), counter });
      // @ts-expect-error: there is no such type
      types.household;
      // @ts-expect-error: a set of rules that there is not
      new NumericIdType({ name: "n", length: 10, rules: "strict" });
      export { disposePool, issued, permuted, rules };
      const text: (error: BackendError) => string = (error) => error.operation;
      // @ts-expect-error: not a client of pg
      fromPg({ connect() {} });
      export { attached, count, dispose, lease, order, shared, text };
      // @ts-expect-error: any would let this pass
      const wrong: string = makeGenerator(name).nextId();
      // @ts-expect-error: a misspelt option
      makeGenerator("twitter", { machineid: 7 });
      export { decoded, wrong };`,
    );
    const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
    const module = moduleResolution === "bundler" ? "esnext" : moduleResolution;
    const options = ["--module", module, "--moduleResolution", moduleResolution, "--target", "es2022"];
    run(process.execPath, tsc, "--noEmit", "--strict", "--lib", "es2022", ...options, file);
  });

  test.each(["use-fetch.mts", "use-fetch.cts"])(
    "resolves the types that speak of requests from %s",
    (file) => {
      writeFileSync(
        join(project, file),
        `import { memory } from "bitflake/backend";
      const backend = memory();
      import { fingerprint, Idempotency, idempotent, type IdempotentOptions } from "bitflake/idempotency";
      const once = new Idempotency({ backend, name: "n", onFailure: "bypass" });
      const receipt: Promise<{ id: string }> = fingerprint("x")
        .then((print) => once.once("k", print, async () => ({ id: "1" })))
        .then(({ value }) => value);
      const idempotentOptions: IdempotentOptions = { backend, name: "n", tenant: () => "" };
      const handler: (request: Request) => Promise<Response> = idempotent(() => new Response(), idempotentOptions);
      // @ts-expect-error: whose keys they are must be said
      idempotent(() => new Response(), { backend, name: "n" });
      import { addressKey, type Decision, RateLimit, rateLimited } from "bitflake/ratelimit";
      const limiter = new RateLimit({ backend, name: "n", limit: 10, windowMs: 1000 });
      const decision: Promise<Decision> = limiter.limit(addressKey("::1"));
      const limited: (request: Request) => Promise<Response> = rateLimited(handler, { limiter, key: () => "k" });
      import { createServer } from "node:http";
      import { createService, listen, nodeListener, type Service, type ServiceOptions } from "bitflake/service";
      const serviceOptions: ServiceOptions = { backend, preset: "twitter", types: { farmer: { length: 10 } } };
      const service: Service = createService(serviceOptions);
      const answer: Promise<Response> = service(new Request("http://localhost/"), { address: "::1" });
      const port: Promise<number> = listen(service, { port: 0 }).then((server) => server.port);
      createServer(nodeListener(service)).listen(0);
      // @ts-expect-error: a misspelt option
      createService({ backend, apikeys: [] });
      export { answer, decision, limited, port, receipt };
`,
      );
      const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
      const types = ["--types", "node", "--typeRoots", join(root, "node_modules/@types")];
      const options = [
        "--module",
        "nodenext",
        "--target",
        "es2022",
        "--lib",
        "es2022",
        "--skipLibCheck",
        ...types,
      ];
      run(process.execPath, tsc, "--noEmit", "--strict", ...options, file);
    },
  );

  test("the version that the service tells is the package's", () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
    expect(VERSION).toBe(version);
  });

  test("has no dependencies, and brings the sources its maps point to", () => {
    const installed = join(project, "node_modules", "bitflake");
    const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
    expect(manifest.dependencies ?? {}).toEqual({});
    for (const file of ["core.js", "core.cjs"]) {
      const map = JSON.parse(readFileSync(join(installed, "dist", `${file}.map`), "utf8")) as {
        sources: string[];
      };
      expect(map.sources.length).toBeGreaterThan(15);
      for (const source of map.sources) readFileSync(join(installed, "dist", source));
    }
  });
});
