// The types of the installed package: with the TypeScript of 2023 and of today, each way to resolve modules, and the types of
// browsers, of Node and neither. The package's own declarations are checked too.

import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import ts59 from "typescript";
import ts50 from "typescript50";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { install, makeProject, root } from "./project.ts";

/** The real path, because the language server resolves links. */
const project = realpathSync(makeProject());
const declarations = join(project, "node_modules/bitflake/dist");

beforeAll(() => {
  install(project);
  // One folder of types for each version of Node, as a project has one.
  for (const [folder, types] of Object.entries({ types20: "@types/node", types24: "types-node24" })) {
    mkdirSync(join(project, folder));
    symlinkSync(join(root, "node_modules", types), join(project, folder, "node"));
  }
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

const VERSIONS: Readonly<Record<string, typeof ts59>> = {
  "5.0": ts50 as unknown as typeof ts59,
  "5.9": ts59,
};

/** Parsed files of TypeScript's library, which all programs of a version share. */
const parsed = new Map<string, ts59.SourceFile | undefined>();

/** Type-checks a file and its imports. Returns the errors. */
function check(
  version: string,
  file: string,
  code: string,
  json: Readonly<Record<string, unknown>>,
): string[] {
  const ts = VERSIONS[version] as typeof ts59;
  const { options, errors } = ts.convertCompilerOptionsFromJson(
    {
      target: "es2022",
      lib: ["es2022"],
      types: [],
      strict: true,
      skipLibCheck: false,
      noEmit: true,
      ...json,
    },
    project,
  );
  const path = join(project, file);
  writeFileSync(path, code);
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getCurrentDirectory = () => project;
  host.getSourceFile = (name, ...rest) => {
    if (!/\/typescript(50)?\/lib\/lib\./.test(name)) return getSourceFile(name, ...rest);
    if (!parsed.has(name)) parsed.set(name, getSourceFile(name, ...rest));
    return parsed.get(name);
  };
  const program = ts.createProgram([path], options, host);
  return [...errors, ...ts.getPreEmitDiagnostics(program)].map(({ file, start = 0, messageText }) => {
    const at = file ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
    return `${file?.fileName}:${at} ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
}

/** A program that compiles with the types of ES2022 alone. */
const LIBRARY = `
import { decode, type DecodedId, type GeneratorOptions, makeGenerator, type PresetName, SnowflakeGenerator } from "bitflake";
const name: PresetName = "twitter";
const options: GeneratorOptions = { machineId: 7 };
const id: bigint = makeGenerator(name, options).nextId();
const decoded: DecodedId = decode(id, "twitter");
import { base32, type PrefixedId, prefixed } from "bitflake/text";
import { SharedGenerator, type SharedHandle } from "bitflake/threads";
const user: PrefixedId<"user"> = prefixed("user", base32).encode(id);
// @ts-expect-error: the ID of a user is not the ID of an order
const order: PrefixedId<"order"> = user;
const handle: SharedHandle = new SharedGenerator(name, options).handle;
const shared: bigint = SharedGenerator.attach(handle).nextId();
// @ts-expect-error: the types have no internal parameters
new SharedGenerator(name, options, handle.memory);
import { type Backend, BackendError, fromPg, memory } from "bitflake/backend";
import { Counter } from "bitflake/counter";
import { type Lease, leaseNode, type LeaseOptions } from "bitflake/lease";
const backend: Backend = memory();
const leaseOptions: LeaseOptions = { backend, preset: name, datacenterId: 1, threads: true };
const lease: Promise<Lease> = leaseNode(leaseOptions);
const attached: Promise<SharedGenerator> = leaseNode({ backend, threads: true }).then((held) => held.generator);
const release: (held: Lease) => Promise<void> = (held) => held.release();
const count: Promise<bigint> = new Counter({ backend, name: "n", floor: 1n }).next();
import { defineIdTypes, IdPool, NumericIdType, type NumericRules, PermutedIds } from "bitflake/numeric";
const types = defineIdTypes({ farmer: { length: 10, rules: { extends: "mosip", sequenceLimit: null } } });
const rules: NumericRules = types.farmer.rules;
const pool = new IdPool({ backend, type: types.farmer, waitMs: 0 });
const issued: Promise<string> = pool.issue({ requestKey: "form 17" });
const counter = new Counter({ backend, name: "farmers" });
const permuted = new PermutedIds({ type: types.farmer, key: new Uint8Array(32), counter });
// @ts-expect-error: an unknown type
types.household;
// @ts-expect-error: an unknown set of rules
new NumericIdType({ name: "n", length: 10, rules: "strict" });
const text: (error: BackendError) => string = (error) => error.operation;
// @ts-expect-error: not a client of pg
fromPg({ connect() {} });
// @ts-expect-error: any would let this pass
const wrong: string = makeGenerator(name).nextId();
// @ts-expect-error: a misspelt option
makeGenerator("twitter", { machineid: 7 });
import { fingerprint, Idempotency, InFlightError } from "bitflake/idempotency";
const once = new Idempotency({ backend, name: "n", onStoreError: "allow" });
const receipt: Promise<{ id: string }> = fingerprint(new Uint8Array(2))
  .then((print) => once.once("k", print, async (signal) => ({ id: String(signal) })))
  .then(({ value }) => value);
import { addressKey, type Decision, RateLimit, rateLimitHeaders } from "bitflake/ratelimit";
const limiter = new RateLimit({ backend, name: "n", limit: 10, windowMs: 1000 });
const decision: Promise<Decision> = limiter.limit(addressKey("::1"));
import { createService, listen, type Service } from "bitflake/service";
const service: Service = createService({ backend, preset: "twitter", types: { farmer: { length: 10 } } });
const port: Promise<number> = listen(service, { port: 0 }).then((server) => server.port);
// @ts-expect-error: a misspelt option
createService({ backend, apikeys: [] });
// The entries share their classes, which have private fields.
const ofRoot: Promise<SnowflakeGenerator> = leaseNode({ backend }).then((held) => held.generator);
const ofThreads: SnowflakeGenerator = new SharedGenerator("twitter");
import { SnowflakeGenerator as OfLease, ArgumentError as OfLeaseError } from "bitflake/lease";
import { ArgumentError } from "bitflake";
const back: OfLease = makeGenerator("twitter");
const error: ArgumentError = new OfLeaseError("a", "b", "c");
import { backfill, proveMigration, type Verdict } from "bitflake/migrate";
const verdict: Verdict = proveMigration({ from: { scheme: "serial", max: 9n }, to: { scheme: "twitter" }, cutOver: 0 });
const smallest: bigint = verdict.disjoint ? 0n : verdict.pair.to.id;
if (verdict.ordered) verdict.largestOld.id satisfies bigint;
// @ts-expect-error: UUIDs have no largest one
else if (verdict.disjoint) verdict.largestOld.id;
// @ts-expect-error: a misspelt scheme
proveMigration({ from: { scheme: "snow" }, to: { scheme: "twitter" }, cutOver: 0 });
// @ts-expect-error: the IDs that are taken are missing
backfill([{ createdAt: 0 }], { preset: "twitter", nodes: 5, before: 0 });
export { smallest };
export { attached, back, count, decision, decoded, error, InFlightError, issued, lease, ofRoot, ofThreads, order };
export { permuted, port, rateLimitHeaders, receipt, release, rules, shared, text, wrong };
`;

/** A program with requests and responses. */
const FETCH = `
import { memory } from "bitflake/backend";
import { type FetchRequest, Idempotency, idempotent, type IdempotentOptions } from "bitflake/idempotency";
import { RateLimit, rateLimited } from "bitflake/ratelimit";
import { createService, type Service } from "bitflake/service";
const backend = memory();
const idempotentOptions: IdempotentOptions = { backend, name: "n", tenant: (request) => request.headers.get("x") ?? "" };
const handler: (request: Request) => Promise<Response> = idempotent(() => new Response(), idempotentOptions);
// @ts-expect-error: the option that names the client is missing
idempotent(() => new Response(), { backend, name: "n" });
// @ts-expect-error: a handler returns a response
idempotent(() => "text", idempotentOptions);
// @ts-expect-error: any would let this pass
const wrong: string = null as unknown as FetchRequest;
const limiter = new RateLimit({ backend, name: "n", limit: 10, windowMs: 1000 });
const limited: (request: Request) => Promise<Response> = rateLimited(handler, { limiter, key: ({ url }) => url });
const service: Service = createService({ backend });
const answer: Promise<Response> = service(new Request("http://localhost/"), { address: "::1" });
const once = new Idempotency({ backend, name: "n" }).once("k", "f", ({ aborted }) => aborted);
export { answer, limited, once, wrong };
`;

/** The ways to resolve modules, each with the file that it is for. */
const RESOLUTIONS = [
  ["node10", "commonjs", "use.ts"],
  ["node16", "node16", "use.mts"],
  ["node16", "node16", "use.cts"],
  ["nodenext", "nodenext", "use.mts"],
  ["nodenext", "nodenext", "use.cts"],
  ["bundler", "esnext", "use.ts"],
] as const;

const matrix = Object.keys(VERSIONS).flatMap((version) =>
  RESOLUTIONS.map((row) => [version, ...row] as const),
);

describe("the types of the installed package", () => {
  test.each(matrix)(
    "TypeScript %s, %s, module %s, %s: all entries compile with ES2022 alone, and share their classes",
    (version, moduleResolution, module, file) => {
      expect(check(version, file, LIBRARY, { module, moduleResolution })).toEqual([]);
    },
  );

  test.each(Object.keys(VERSIONS))(
    "TypeScript %s: handlers take a browser's Request and Response",
    (version) => {
      expect(check(version, "use.mts", FETCH, { module: "nodenext", lib: ["es2022", "dom"] })).toEqual([]);
    },
  );

  test.each([
    ["types20", "use.cts"],
    ["types24", "use.mts"],
  ])("with Node's types (%s) and without DOM, in %s, handlers and buffers fit", (folder, file) => {
    const buffers = `import { fingerprint } from "bitflake/idempotency";
      import { createServer } from "node:http";
      import { nodeListener } from "bitflake/service";
      createServer(nodeListener(createService({ backend: memory() }))).listen(0);
      export const ofBuffer: Promise<string> = fingerprint(Buffer.from("x"));
      export const ofBytes: Promise<string> = fingerprint(new Uint8Array(1));
      declare const lent: Uint8Array<ArrayBufferLike>;
      export const ofLent: Promise<string> = fingerprint(lent);`;
    const options = { module: "nodenext", types: ["node"], typeRoots: [join(project, folder)] };
    expect(check("5.9", file, FETCH + buffers, options)).toEqual([]);
  });

  const AWAIT_USING = `
    import { type Lease, leaseNode } from "bitflake/lease";
    import { IdPool, type IdPoolOptions } from "bitflake/numeric";
    import { memory } from "bitflake/backend";
    export async function work(options: IdPoolOptions): Promise<bigint> {
      await using pool = new IdPool(options);
      await pool.issue();
      await using lease = await leaseNode({ backend: memory() });
      return lease.generator.nextId();
    }
    export const dispose = (held: Lease): Promise<void> => held[Symbol.asyncDispose]();
    // @ts-expect-error: any would let this pass
    export const wrong = (held: Lease): string => held[Symbol.asyncDispose]();`;

  test.each([
    ["TypeScript's own types", { lib: ["es2022", "esnext.disposable"] }],
    ["Node's types", { types: ["node"], typeRoots: [join(project, "types20")] }],
  ])("leases and pools end by `await using` with %s", (_, options) => {
    expect(check("5.9", "using.mts", AWAIT_USING, { module: "nodenext", ...options })).toEqual([]);
  });

  test("do not add `Symbol.asyncDispose` to a program whose types lack it", () => {
    const code = `import "bitflake/lease"; import "bitflake/numeric";
      // @ts-expect-error: a global that the program does not have
      Symbol.asyncDispose;`;
    expect(check("5.9", "global.mts", code, { module: "nodenext" })).toEqual([]);
  });

  test("have a map that leads to sources in the package", () => {
    expect(readFileSync(join(declarations, "types.d.cts"), "utf8")).toMatch(
      /\n\/\/# sourceMappingURL=types\.d\.cts\.map\n$/,
    );
    const map = JSON.parse(readFileSync(join(declarations, "types.d.cts.map"), "utf8")) as {
      sources: string[];
      sourcesContent?: unknown;
    };
    expect(map.sourcesContent).toBeUndefined();
    expect(map.sources.length).toBeGreaterThan(40);
    for (const source of map.sources) {
      expect(source).toMatch(/^\.\.\/src\//);
      readFileSync(join(declarations, source));
    }
  });

  test("lead an editor to the definition in the sources", async () => {
    const file = join(project, "editor.mts");
    const lines = [
      `import { makeGenerator, SnowflakeGenerator } from "bitflake";`,
      `import { IdPool } from "bitflake/numeric";`,
      `import type { LeaseOptions } from "bitflake/lease";`,
      `makeGenerator("twitter").nextIds(3);`,
      `(null as unknown as IdPool).status();`,
      `(null as unknown as LeaseOptions).ttlMs;`,
      `new SnowflakeGenerator();`,
    ];
    writeFileSync(file, lines.join("\n"));
    writeFileSync(
      join(project, "tsconfig.json"),
      '{ "compilerOptions": { "module": "nodenext", "types": [] } }',
    );
    const server = spawn(process.execPath, [
      createRequire(import.meta.url).resolve("typescript/lib/tsserver.js"),
      "--disableAutomaticTypingAcquisition",
    ]);
    try {
      let sent = 0;
      const send = (command: string, args: unknown) =>
        server.stdin.write(`${JSON.stringify({ seq: ++sent, type: "request", command, arguments: args })}\n`);
      send("open", { file });
      for (const [at, word] of [
        [0, "makeGenerator"],
        [3, "nextIds"],
        [4, "IdPool"],
        [4, "status"],
        [5, "ttlMs"],
        [6, "SnowflakeGenerator"],
      ] as const) {
        send("definition", { file, line: at + 1, offset: (lines[at] as string).lastIndexOf(word) + 1 });
      }
      const found: string[] = [];
      for await (const line of createInterface(server.stdout)) {
        if (!line.startsWith("{")) continue;
        const message = JSON.parse(line) as {
          command?: string;
          body?: { file: string; start: { line: number; offset: number } }[];
        };
        if (message.command !== "definition") continue;
        for (const { file, start } of message.body ?? []) {
          const at = readFileSync(file, "utf8").split("\n")[start.line - 1] as string;
          found.push(
            `${file.replace(`${project}/node_modules/bitflake/`, "")} ${at.slice(start.offset - 1)}`,
          );
        }
        if (--sent === 1) break;
      }
      expect(found).toEqual([
        expect.stringMatching(/^src\/snowflake\/generator\.ts makeGenerator\(/),
        expect.stringMatching(/^src\/snowflake\/generator\.ts nextIds\(/),
        expect.stringMatching(/^src\/numeric\/pool\.ts IdPool /),
        expect.stringMatching(/^src\/numeric\/pool\.ts status\(/),
        expect.stringMatching(/^src\/lease\/options\.ts ttlMs\?/),
        expect.stringMatching(/^src\/snowflake\/generator\.ts SnowflakeGenerator /),
        expect.stringMatching(/^src\/snowflake\/generator\.ts constructor\(/),
      ]);
    } finally {
      server.kill();
    }
  });
});
