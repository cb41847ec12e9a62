// Chaos test of pools: processes issue and refill on a real PostgreSQL or MariaDB while they or the server are killed. Every
// ID that a process got is recorded: none may be issued twice, and only a kill may lose one. POOL_IDS is how many IDs are
// issued on MariaDB, in each isolation level; by hand 200000.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createPool } from "mysql2/promise";
import pg from "pg";
import { describe, expect, test } from "vitest";
import { type Backend, BackendError, fromMysql2, fromPg, setup } from "../../src/backend/index.ts";
import { IdPool, NumericIdType } from "../../src/numeric/index.ts";
import { type Journal, readJournal, repeatsIn } from "./numeric/journal.ts";
import { type Server, startable, startMariadb, startPostgres } from "./servers.ts";

const { DATABASE_URL = "", MYSQL_URL = "", POOL_IDS = "20000" } = process.env;
const program = fileURLToPath(new URL("numeric/process.mjs", import.meta.url));

/** Registers cleanup. An argument of each test, because two of them run concurrently. */
type Undo = (step: () => Promise<void> | void) => void;

/** Processes to kill when this one ends. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A running process. */
interface Worker {
  readonly child: ChildProcess;
  /** How it ended: the exit code or signal, and its errors. */
  readonly ended: Promise<string>;
}

function start(plan: Readonly<Record<string, unknown>>): Worker {
  // A driver's deprecation warning is not an error.
  const child = spawn(process.execPath, ["--no-warnings", program, JSON.stringify(plan)], {
    stdio: ["pipe", "ignore", "pipe"],
  });
  running.add(child);
  // A killed process reads nothing more, which is not an error.
  child.stdin.on("error", () => {});
  const ended = Promise.all([once(child, "exit"), text(child.stderr)]).then(([[code, signal], errors]) => {
    running.delete(child);
    return `${signal ?? code}${errors}`;
  });
  return { child, ended };
}

/** A store with pools, opened for the test itself. */
interface PoolStore {
  readonly backend: Backend;
  query(sql: string): Promise<readonly object[]>;
  close(): Promise<void>;
}

function openPostgres(url: string, prefix: string): PoolStore {
  const client = new pg.Pool({ connectionString: url });
  client.on("error", () => {});
  const query = async (sql: string) => (await client.query(sql)).rows;
  return { backend: fromPg(client, { prefix, timeoutMs: 60_000 }), query, close: () => client.end() };
}

function openMariadb(url: string, prefix: string): PoolStore {
  const client = createPool(url);
  const query = async (sql: string) => (await client.query(sql))[0] as object[];
  return { backend: fromMysql2(client, { prefix }), query, close: () => client.end() };
}

/** The engines with servers. */
const engines: Record<
  "PostgreSQL" | "MariaDB",
  {
    readonly url: string;
    readonly open: typeof openPostgres;
    readonly start: (() => Promise<Server>) | undefined;
  }
> = {
  PostgreSQL: {
    url: DATABASE_URL,
    open: openPostgres,
    start: startable.postgres ? startPostgres : undefined,
  },
  MariaDB: { url: MYSQL_URL, open: openMariadb, start: startable.mariadb ? startMariadb : undefined },
};

let tables = 0;

/** The pool of one test: its tables, its type and the settings of its processes. */
async function place(
  undo: Undo,
  engine: keyof typeof engines,
  length: number,
  marks: Readonly<Record<string, number>> = {},
  url = engines[engine].url,
) {
  const prefix = `numeric_fire_${process.pid}_${tables++}`;
  const { backend, query, close } = engines[engine].open(url, prefix);
  await setup(backend, ["numeric"]);
  undo(async () => {
    const used = engine === "MariaDB" ? ["cells"] : [];
    for (const table of ["ids", "id_types", "id_counts", ...used])
      await query(`DROP TABLE ${prefix}_${table}`);
    await close();
  });
  const type = new NumericIdType({ name: "farmer", length });
  const folder = mkdtempSync(join(tmpdir(), "bitflake-numeric-"));
  undo(() => rmSync(folder, { recursive: true }));
  const isolation = "REPEATABLE READ";
  const plan = { url, prefix, type: { name: type.name, length }, marks, isolation };
  /** Returns the IDs in the table with their requests. */
  const rows = async (which: "taken" | "available") => {
    const is = which === "taken" ? "NOT NULL" : "NULL";
    const all = await query(`SELECT id, request FROM ${prefix}_ids WHERE taken IS ${is}`);
    return all as { id: string; request: string | null }[];
  };
  return { prefix, query, backend, type, folder, plan, rows };
}

const idsOf = (answers: Journal["answers"]) => answers.flatMap(({ ids }) => ids);

const levels = [
  { engine: "PostgreSQL", isolation: "READ COMMITTED", count: 200_000 },
  { engine: "MariaDB", isolation: "READ COMMITTED", count: Number(POOL_IDS) },
  { engine: "MariaDB", isolation: "REPEATABLE READ", count: Number(POOL_IDS) },
] as const;

test.for(levels.filter(({ engine }) => engines[engine].url))(
  "$engine in $isolation issues $count IDs to four processes with 40 connections, each once by their journals and by the table",
  { timeout: 600_000 },
  async ({ engine, isolation, count }, { onTestFinished: undo }) => {
    const marks = { lowMark: 20_000, highMark: 40_000 };
    // So long that hardly any draw repeats an ID.
    const { folder, plan, rows, backend, type } = await place(undo, engine, 12, marks);
    // Most IDs are added before, because this tests issues; the others during them.
    await new IdPool({ backend, type }).fill({ to: 0.85 * count });
    const share = count / 4;
    const sizes = { singles: 0.02 * share, batches: (0.98 * share) / 100, batch: 100 };
    const started = performance.now();
    const workers = Array.from({ length: 4 }, (_, at) =>
      start({
        ...plan,
        ...sizes,
        isolation,
        task: "issueAll",
        connections: 10,
        journal: join(folder, `${at}`),
      }),
    );
    // Each error of a call, such as a deadlock, ends its process.
    expect(await Promise.all(workers.map(({ ended }) => ended))).toEqual(["0", "0", "0", "0"]);
    const seconds = (performance.now() - started) / 1000;
    console.info(`${engine}, ${isolation}: ${count} IDs in ${seconds.toFixed(1)} s, 2 % of them one by one`);
    const { answers, open } = readJournal(folder);
    const ids = idsOf(answers);
    expect([ids.length, new Set(ids).size, open.length]).toEqual([count, count, 0]);
    const taken = (await rows("taken")).map(({ id }) => id);
    expect([taken.length, new Set([...taken, ...ids]).size]).toEqual([count, count]);
    // The store has counted them.
    expect(await new IdPool({ backend, type }).status()).toMatchObject({ taken: count });
  },
);

describe.each((["PostgreSQL", "MariaDB"] as const).filter((engine) => engines[engine].url))(
  "pools on a %s",
  (engine) => {
    test("issue no ID twice to killed processes, keep the ID of a request, and lose only unanswered issues", async ({
      onTestFinished: undo,
    }) => {
      // Marks so close that a refill runs most of the time.
      const { folder, plan, rows, backend, type } = await place(undo, engine, 10, {
        lowMark: 500,
        highMark: 1000,
      });
      const lives = [0, 0, 0, 0];
      const launch = (slot: number) => {
        const name = `${slot}.${lives[slot]++}`;
        return start({
          ...{ ...plan, task: "issueOn", connections: 5, name, first: 0, journal: join(folder, name) },
        });
      };
      const workers = lives.map((_, slot) => launch(slot));
      const ends: string[] = [];
      const killing = workers.map(async (_, slot) => {
        for (let kill = 0; kill < 4; kill++) {
          // Starting takes a moment, and longer on a busy machine.
          while (!existsSync(join(folder, `${slot}.${kill}`))) await setTimeout(20);
          await setTimeout(100 + Math.random() * 900);
          workers[slot].child.kill("SIGKILL");
          ends.push(await workers[slot].ended);
          workers[slot] = launch(slot);
        }
      });
      await Promise.all(killing);
      await setTimeout(700);
      for (const { child } of workers) child.kill("SIGTERM");
      // Some may not have installed their signal handler before.
      expect(await Promise.all(workers.map(({ ended }) => ended))).toEqual(
        Array.from({ length: 4 }, () => expect.stringMatching(/^(0|SIGTERM)$/)),
      );
      expect(ends).toEqual(Array.from({ length: 16 }, () => "SIGKILL"));

      const { answers, open } = readJournal(folder);
      const ids = new Set(idsOf(answers));
      expect(ids.size).toBeGreaterThan(500);
      expect(repeatsIn(answers)).toEqual([]);

      // A repeated request gets its ID, also if the process that first sent it was killed.
      const pool = new IdPool({ backend, type, ...plan.marks });
      const keys = new Set([...answers, ...open].flatMap(({ key }) => (key === undefined ? [] : [key])));
      const again = await Promise.all(
        [...keys].map(async (key) => ({ key, count: 1, ids: [await pool.issue({ requestKey: key })] })),
      );
      await pool.stop();
      expect(repeatsIn([...answers, ...again])).toEqual([]);
      for (const id of idsOf(again)) ids.add(id);

      const taken = await rows("taken");
      expect(new Set(taken.map(({ id }) => id)).size).toBe(taken.length);
      expect(taken.filter(({ id }) => !type.validate(id).valid)).toEqual([]);
      const lost = taken.filter(({ id }) => !ids.has(id));
      expect(taken.length - lost.length).toBe(ids.size);
      expect(lost.filter(({ request }) => request !== null)).toEqual([]);
      const underWay = open.reduce((sum, { key, count }) => sum + (key === undefined ? count : 0), 0);
      expect(lost.length).toBeLessThanOrEqual(underWay);
      // Every case has occurred.
      expect(underWay).toBeGreaterThan(0);
      expect(open.some(({ key }) => key !== undefined)).toBe(true);
      console.info(
        `numeric: ${ids.size} IDs of 20 processes, 16 of them killed with IDs for ${underWay} under way, ${lost.length} lost`,
      );
    });
  },
);

describe.skipIf(!DATABASE_URL)("fills of pools on a PostgreSQL", () => {
  /** Returns the steps that a process has recorded. */
  const steps = (folder: string, file: string) =>
    existsSync(join(folder, file)) ? readJournal(folder, file).notes : [];

  test.concurrent("let another process finish a killed fill of 100,000 within moments", async ({
    expect,
    onTestFinished: undo,
  }) => {
    const { folder, plan, rows, type } = await place(undo, "PostgreSQL", 10);
    const fill = { ...plan, task: "fill", to: 100_000, connections: 2 };
    const first = start({ ...fill, killedAt: 20_000, journal: join(folder, "first") });
    expect(await first.ended).toBe("SIGKILL");
    const killed = Date.now();
    const second = start({ ...fill, journal: join(folder, "second") });
    expect(await second.ended).toBe("0");

    const progress = steps(folder, "second");
    // The claim of the killed process lasts 3 seconds.
    expect(progress[0].at - killed).toBeLessThan(60_000);
    expect(progress[0].available).toBeGreaterThanOrEqual(20_000);
    const available = progress.map((step) => step.available);
    expect(available).toEqual([...available].sort((a, b) => a - b));
    expect(progress.at(-1)).toMatchObject({ available: 100_000, target: 100_000 });
    expect(progress.at(-1)?.added).toBe(100_000 - available[0] + progress[0].added);

    const ids = (await rows("available")).map(({ id }) => id);
    expect([ids.length, new Set(ids).size]).toEqual([100_000, 100_000]);
    expect(ids.filter((id) => !type.validate(id).valid)).toEqual([]);
  });

  test.concurrent("continue the scan of a killed process, and find every ID", async ({
    expect,
    onTestFinished: undo,
  }) => {
    const { prefix, query, folder, plan, rows, backend, type } = await place(undo, "PostgreSQL", 6);
    const fill = { ...plan, task: "fill", to: 100_000, connections: 2 };
    // 100,000 numbers of five digits. The scan must have visited some of them.
    const first = start({ ...fill, killedAt: 25_000, journal: join(folder, "first") });
    const left = async () => {
      const [row] = (await query(`SELECT sweep FROM ${prefix}_id_types`)) as { sweep?: string }[];
      return row?.sweep ? Number(row.sweep.split(" ")[2]) : Number.POSITIVE_INFINITY;
    };
    expect(await first.ended).toBe("SIGKILL");
    expect(await left()).toBeGreaterThan(0);
    expect(await left()).toBeLessThan(95_000);
    const second = start({ ...fill, journal: join(folder, "second") });
    expect(await second.ended).toBe("0");
    expect(await left()).toBe(0);

    const ids = (await rows("available")).map(({ id }) => id);
    expect([ids.length, new Set(ids).size]).toEqual([29_593, 29_593]);
    expect(ids.filter((id) => !type.validate(id).valid)).toEqual([]);
    const pool = new IdPool({ backend, type, highMark: 30_000 });
    expect(await pool.status()).toMatchObject({
      available: 29_593,
      isExact: true,
      isFilling: false,
    });
  });
});

// A commit survives the server's processes, but not a loss of power, because it does not wait for the disk.
test.for((["PostgreSQL", "MariaDB"] as const).filter((engine) => engines[engine].start))(
  "issued IDs are not issued again after %s is killed",
  async (engine, { onTestFinished: undo }) => {
    const server = await (engines[engine].start as () => Promise<Server>)();
    undo(() => server.stop());
    const { backend, type, rows } = await place(undo, engine, 10, {}, server.url);
    const pool = new IdPool({ backend, type, lowMark: 500, highMark: 1000 });
    await pool.fill();
    const answers: Journal["answers"][number][] = [];
    let unanswered = 0;
    let failures = 0;
    let isOver = false;
    /** Repeats a call until it succeeds. A request keeps its key. */
    async function issue(count: number, key?: string): Promise<void> {
      while (!isOver || key !== undefined) {
        try {
          const ids = count > 1 ? await pool.issueIds(count) : [await pool.issue({ requestKey: key })];
          answers.push({ count, ids, ...(key === undefined ? {} : { key }) });
          return;
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          failures++;
          if (key === undefined && error instanceof BackendError) unanswered += count;
          await setTimeout(20);
        }
      }
    }
    const callers = Array.from({ length: 9 }, async (_, caller) => {
      for (let call = 0; !isOver; call++) {
        await issue([1, 20, 1][caller % 3] as number, caller % 3 === 2 ? `${caller} ${call}` : undefined);
      }
    });
    for (let crash = 0; crash < 2; crash++) {
      await setTimeout(500);
      await server.kill();
      await setTimeout(200);
      await server.restart();
    }
    await setTimeout(500);
    isOver = true;
    await Promise.all(callers);
    await pool.stop();

    const ids = new Set(idsOf(answers));
    expect(failures).toBeGreaterThan(0);
    expect(ids.size).toBeGreaterThan(500);
    expect(repeatsIn(answers)).toEqual([]);
    const taken = await rows("taken");
    const lost = taken.filter(({ id }) => !ids.has(id));
    expect(taken.length - lost.length).toBe(ids.size);
    // Unanswered issues; those with a request key were repeated.
    expect(lost.length).toBeLessThanOrEqual(unanswered);
    expect(lost.filter(({ request }) => request !== null)).toEqual([]);
  },
);
