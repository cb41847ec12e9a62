// A SQLite file that several processes write to.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { sqliteAdapters } from "../sqlite-clients.ts";

const PROCESSES = 6;
const CALLS = 500;

const program = fileURLToPath(new URL("increment.mjs", import.meta.url));

/** Starts a process and waits until it runs. Returns a promise of its values, which resolves when it has ended. */
async function start(client: string, file: string): Promise<() => Promise<number[]>> {
  const child = spawn(process.execPath, ["--no-warnings", program, client, file, String(CALLS)]);
  const errors = text(child.stderr);
  const ended = once(child, "exit");
  let printed = "";
  child.stdout.on("data", (chunk) => {
    printed += chunk;
  });
  await Promise.race([once(child.stdout, "data"), ended]);
  return async () => {
    const [code] = await ended;
    expect({ code, errors: await errors }).toEqual({ code: 0, errors: "" });
    return JSON.parse(printed.replace("started\n", ""));
  };
}

const cases = sqliteAdapters.flatMap((adapter) =>
  ["delete", "wal"].map((journal) => ({
    ...adapter,
    client: adapter.name.split(" ").at(-1) as string,
    journal,
  })),
);

test.each(cases)("$name, journal $journal: six processes lose no increment and repeat none", async (one) => {
  const folder = mkdtempSync(join(tmpdir(), "bitflake-sqlite-"));
  const file = join(folder, "shared.db");
  const { port, close } = one.open(file);
  try {
    await port.query(`PRAGMA journal_mode = ${one.journal}`, []);
    await port.query("CREATE TABLE counters (name TEXT PRIMARY KEY, last BIGINT NOT NULL)", []);
    // The first call of each process certainly finds the file locked. Later calls may.
    await port.query("BEGIN EXCLUSIVE", []);
    const processes = await Promise.all(Array.from({ length: PROCESSES }, () => start(one.client, file)));
    await setTimeout(100);
    await port.query("COMMIT", []);
    const lists = await Promise.all(processes.map((values) => values()));
    // The values of each process increase, and together they are every number once.
    for (const values of lists) expect(values).toEqual([...values].sort((a, b) => a - b));
    const owners = lists.flatMap((values, owner) => values.map((value) => ({ value, owner })));
    owners.sort((a, b) => a.value - b.value);
    expect(owners.map(({ value }) => value)).toEqual(owners.map((_, index) => index + 1));
    expect(owners.length).toBe(PROCESSES * CALLS);
    // The processes did conflict: one after the other, they would hand over five times.
    const handovers = owners.filter(({ owner }, index) => index > 0 && owner !== owners[index - 1].owner);
    expect(handovers.length).toBeGreaterThan(10 * PROCESSES);
  } finally {
    close();
    rmSync(folder, { recursive: true });
  }
});
