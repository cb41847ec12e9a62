// The recipes of docs/databases.md on real databases: each block fenced as `ts pg` or `ts sqlite` runs as it stands
// there. Those that need no database run in test/docs.

import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root, run } from "../docs/snippet.ts";
import { inOwnDatabase } from "./database.ts";
import { packages } from "./packages.ts";

const guide = readFileSync(join(root, "docs/databases.md"), "utf8");

/** Runs the blocks of one client in turn: the later ones use the table that the first makes. */
async function runRecipes(client: string): Promise<void> {
  const blocks = [...guide.matchAll(/^```ts (\w+)\n(.*?)^```/gms)].filter((match) => match[1] === client);
  expect(blocks.length).toBeGreaterThan(0);
  for (const [, , code = ""] of blocks) await run(code, packages);
}

test.skipIf(!process.env.DATABASE_URL)("the pg recipes", () => inOwnDatabase(() => runRecipes("pg")));

// Node 20 has no SQLite, and so nothing to run.
if (isBuiltin("node:sqlite")) {
  test("the node:sqlite recipe", () => runRecipes("sqlite"));
}
