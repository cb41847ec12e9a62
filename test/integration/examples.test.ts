// The examples of doc comments and guides that need a client, fenced by its name: they compile with the client's own
// types, and run. Each stands alone. docs/databases.md, where one builds on another, has databases.test.ts.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root, run } from "../docs/snippet.ts";
import { inOwnDatabase } from "./database.ts";
import { makeKnown } from "./known-namespace.ts";
import { packages } from "./packages.ts";
import { type Bridge, bridge } from "./upstash-bridge.ts";

const { REDIS_URL, DATABASE_URL } = process.env;

/** The clients by the names of their fences, and whether what they talk to is there. */
const clients: Readonly<Record<string, boolean>> = {
  ioredis: Boolean(REDIS_URL),
  redis: Boolean(REDIS_URL),
  upstash: Boolean(REDIS_URL),
  pg: Boolean(DATABASE_URL),
  postgres: Boolean(DATABASE_URL),
  pglite: true,
  sqlite: isBuiltin("node:sqlite"),
};

interface Example {
  readonly name: string;
  readonly client: string;
  readonly code: string;
}

/** The examples of a file; in a doc comment, each line has a star before it. */
function examplesOf(path: string): Example[] {
  const text = readFileSync(path, "utf8").replace(/^[ \t]*\* ?/gm, path.endsWith(".ts") ? "" : "$&");
  return [...text.matchAll(/^```ts (\w+)\n(.*?)^```/gms)]
    .map(([, client = "", code = ""]) => ({ client, code }))
    .filter(({ client }) => client in clients)
    .map((example, index) => ({
      name: `${relative(root, path)}, ${example.client} ${index + 1}`,
      ...example,
    }));
}

const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
const guides = readdirSync(join(root, "docs")).filter(
  (file) => file.endsWith(".md") && file !== "databases.md",
);
const examples = [
  ...sources.filter((file) => file.endsWith(".ts")).map((file) => join("src", file)),
  ...guides.map((file) => join("docs", file)),
  "README.md",
].flatMap((file) => examplesOf(join(root, file)));

/** What the compiler has to say about the examples, by name. */
function diagnostics(): Record<string, string[]> {
  // From there it finds the clients.
  const folder = fileURLToPath(new URL("node_modules/.bitflake/examples", import.meta.url));
  mkdirSync(folder, { recursive: true });
  const paths = examples.map((_, index) => join(folder, `example-${index}.ts`));
  for (const [index, { code }] of examples.entries()) writeFileSync(paths[index], code);
  const program = ts.createProgram(paths, {
    noEmit: true,
    strict: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ["lib.es2023.d.ts", "lib.dom.d.ts"],
    types: ["node"],
    typeRoots: [fileURLToPath(new URL("node_modules/@types", import.meta.url))],
    paths: { bitflake: [join(root, "dist/index.d.ts")], "bitflake/*": [join(root, "dist/*.d.ts")] },
    skipLibCheck: true,
  });
  const found: Record<string, string[]> = {};
  for (const { file, messageText } of ts.getPreEmitDiagnostics(program)) {
    const name = examples[paths.indexOf(file?.fileName ?? "")]?.name ?? "somewhere else";
    found[name] = [...(found[name] ?? []), ts.flattenDiagnosticMessageText(messageText, "\n")];
  }
  return found;
}

describe("examples that need a client", () => {
  let upstash: Bridge | undefined;
  beforeAll(async () => {
    if (!REDIS_URL) return;
    await makeKnown(REDIS_URL, { namespace: "orders", preset: "twitter" });
    upstash = await bridge(REDIS_URL);
    process.env.UPSTASH_REDIS_REST_URL = upstash.url;
    process.env.UPSTASH_REDIS_REST_TOKEN = upstash.token;
  });
  afterAll(() => upstash?.close());

  test("are found, for every client", () => {
    expect(new Set(examples.map(({ client }) => client))).toEqual(new Set(Object.keys(clients)));
  });

  test("compile", () => {
    expect(diagnostics()).toEqual({});
  });

  for (const { name, client, code } of examples) {
    const example = () => run(code, packages);
    const isPostgres = client === "pg" || client === "postgres";
    test.skipIf(!clients[client])(name, () => (isPostgres ? inOwnDatabase(example) : example()));
  }
});
