// The examples of docs/databases.md on real databases: each block fenced as `ts pg`, `ts sqlite`, `ts drizzle`, `ts kysely` or
// `ts typeorm`. That of Prisma runs in orm/prisma.test.ts, and examples that need no database in test/docs.

import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root, run } from "../docs/snippet.ts";
import { inOwnDatabase } from "./database.ts";
import { packages } from "./packages.ts";

const guide = readFileSync(join(root, "docs/databases.md"), "utf8");

/** Runs the blocks of one client in turn, because later blocks use the table of the first one. */
async function runExamples(client: string): Promise<void> {
  const blocks = [...guide.matchAll(/^```ts (\w+)\n(.*?)^```/gms)].filter((match) => match[1] === client);
  expect(blocks.length).toBeGreaterThan(0);
  for (const [, , code = ""] of blocks) await run(code, packages);
}

test.skipIf(!process.env.DATABASE_URL).each(["drizzle", "kysely", "pg"])("the %s examples run", (client) =>
  inOwnDatabase(() => runExamples(client)),
);

test.skipIf(!process.env.DATABASE_URL)("the TypeORM example runs", () =>
  inOwnDatabase(() => runExamples("typeorm")),
);

// Node 20 has no node:sqlite.
if (isBuiltin("node:sqlite")) {
  test("the node:sqlite example runs", () => runExamples("sqlite"));
}
