// The recipes of docs/databases.md on real databases: each block fenced as `ts pg` or `ts sqlite` runs as it stands
// there. Those that need no database run in test/docs.

import { readFileSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import pg from "pg";
import { expect, test } from "vitest";
import { root, run } from "../docs/snippet.ts";

const guide = readFileSync(join(root, "docs/databases.md"), "utf8");

/** Runs the blocks of one client in turn: the later ones use the table that the first makes. */
async function runRecipes(client: string): Promise<void> {
  const blocks = [...guide.matchAll(/^```ts (\w+)\n(.*?)^```/gms)].filter((match) => match[1] === client);
  expect(blocks.length).toBeGreaterThan(0);
  const pg = pathToFileURL(createRequire(import.meta.url).resolve("pg")).href;
  for (const [, , code = ""] of blocks) await run(code, { pg });
}

test("the pg recipes, in a schema of their own", async () => {
  const { env } = process;
  env.PGHOST ??= "127.0.0.1";
  env.PGUSER ??= "postgres";
  env.PGDATABASE ??= "test";
  const admin = new pg.Client();
  await admin.connect().catch((cause) => {
    const where = `${env.PGUSER}@${env.PGHOST}:${env.PGPORT ?? 5432}/${env.PGDATABASE}`;
    throw new Error(`docs/databases.md needs a PostgreSQL, by PGHOST, PGUSER, …: none at ${where}`, {
      cause,
    });
  });
  const schema = `bitflake_docs_${process.pid}`;
  await admin.query(`CREATE SCHEMA ${schema}`);
  env.PGOPTIONS = `-c search_path=${schema}`;
  try {
    await runRecipes("pg");
  } finally {
    await admin.query(`DROP SCHEMA ${schema} CASCADE`);
    await admin.end();
  }
});

// Node 20 has no SQLite, and so nothing to run.
if (isBuiltin("node:sqlite")) {
  test("the node:sqlite recipe", () => runRecipes("sqlite"));
}
