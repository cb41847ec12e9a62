// Chaos test: real processes lease nodes from a real store and make IDs, while they are killed and stopped, while their
// clocks are wrong, and while the store is restarted, crashes and freezes. Every ID is recorded, and none may repeat.
//
// CHAOS_SEED repeats the choices of a run, except for the machine's timing. CHAOS_SECONDS sets its duration. CHAOS_DIST is
// the folder of another build: a build that is broken on purpose must fail the test. CHAOS_RESULTS is a file to which each run
// appends its figures, for the report of `npm run prove`.

import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BitflakeError } from "bitflake";
import * as backends from "bitflake/backend";
import { type Lease, leaseNode, NoNodeAvailableError } from "bitflake/lease";
import { afterEach, expect, test } from "vitest";
import type { ChaosResult } from "../proof/report.ts";
import { Chance } from "./chaos/chance.ts";
import { connections } from "./chaos/connections.mjs";
import { count, type Findings, readFindings, stampOf } from "./chaos/findings.ts";
import { type ChaosRun, LAYOUT, NODES, runProcesses, TTL_MS } from "./chaos/workers.ts";
import {
  type Server,
  startable,
  startEtcd,
  startMariadb,
  startNats,
  startPostgres,
  startRedis,
  versionOf,
} from "./servers.ts";

const { setup } = backends;
type Backend = backends.Backend;

const seconds = Number(process.env.CHAOS_SECONDS ?? 20);
const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 2 ** 31);

const NAMESPACE = "chaos";

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

function freshFolder(): string {
  return mkdtempSync(join(tmpdir(), "bitflake-chaos-"));
}

/** Connects this process to the store and creates the tables of leases. */
async function connect(store: ChaosRun["store"], { url }: Server): Promise<Backend> {
  const { backend, close } = await connections[store](backends, url, { timeoutMs: 30_000 });
  undo.push(close);
  await setup(backend, ["lease"]);
  return backend;
}

/** Errors of a store or machine that is still slow after the faults: no answer, or one so late that no clock can be compared. */
const SLOW = ["ERR_BACKEND", "ERR_CLOCK_SKEW"];

/** Returns how many nodes a process with a correct clock can lease after all others have ended. */
async function freeNodes(backend: Backend, tickMs: number): Promise<number> {
  const leases: Lease[] = [];
  const options = {
    backend,
    namespace: NAMESPACE,
    preset: LAYOUT,
    tickMs,
    ttlMs: TTL_MS,
    fence: !("eval" in backend),
    waitMs: 2 * TTL_MS,
  };
  for (let slow = 0; ; ) {
    try {
      leases.push(await leaseNode(options));
    } catch (error) {
      if (error instanceof NoNodeAvailableError) break;
      if (!(error instanceof BitflakeError) || !SLOW.includes(error.code) || ++slow > 5) throw error;
      console.log(`chaos: a free node is requested again after ${error.message}`);
    }
  }
  await Promise.all(leases.map((lease) => lease.release()));
  return leases.length;
}

/** Describes the first findings of a run that failed. */
function describeFindings({ repeated, shared, explain }: Findings, folder: string): string {
  const some = new Set([...repeated.map(stampOf), ...shared]);
  return `seed ${seed}, all files are in ${folder}\n${[...some].slice(0, 2).map(explain).join("\n")}`;
}

test("readFindings finds repeated IDs, shared stamps and wrong order", () => {
  const folder = freshFolder();
  undo.push(() => rmSync(folder, { recursive: true }));
  const stamp = (tick: bigint, node: bigint) => ((tick << 3n) | node) << 19n;
  const files = {
    "1-true.1.0": [stamp(7n, 2n), stamp(7n, 2n) + 1n, stamp(9n, 2n)],
    // Another thread of the same lease, which may share ticks but no ID.
    "1-true.1.1": [stamp(7n, 2n) + 2n, stamp(9n, 2n)],
    // Another lease, which may share neither.
    "1-true.2.0": [stamp(7n, 2n) + 3n],
    "2-near.1.0": [stamp(5n, 1n), stamp(4n, 1n), stamp(6n, 1n)],
  };
  for (const [name, ids] of Object.entries(files)) {
    // The process was killed while it wrote the next ID.
    const bytes = [...new Uint8Array(BigUint64Array.from(ids).buffer), 1, 2, 3];
    writeFileSync(join(folder, `${name}.ids`), Uint8Array.from(bytes));
  }
  writeFileSync(join(folder, "1-true.log"), '{"at":1,"event":"granted","node":2}\n{"at":2,"eve');
  const found = readFindings(folder, 1);
  expect(found).toMatchObject({ ids: 9, files: 4, repeats: 1, repeated: [stamp(9n, 2n)] });
  expect(found.shared).toEqual([7 * 8 + 2]);
  expect(found.disordered).toEqual(["2-near.1.0.ids"]);
  expect(count(found.log, "granted", { node: 2 })).toBe(1);
  const explanation = found.explain(7 * 8 + 2);
  for (const part of ["node 2", "2 IDs in 1-true.1.0.ids", "1 IDs in 1-true.2.0.ids", '"granted"']) {
    expect(explanation).toContain(part);
  }
});

// A node can get another holder within a tick of 10 ms, which is unlikely within 1 ms.
const inCI = [
  ["postgres, 1 thread", { store: "postgres", threads: false, tickMs: 1 }],
  ["redis, 4 worker threads", { store: "redis", threads: true, tickMs: 1 }],
  ["mariadb, 1 thread", { store: "mariadb", threads: false, tickMs: 10 }],
  ["nats, 4 worker threads", { store: "nats", threads: true, tickMs: 10 }],
  ["etcd, 1 thread", { store: "etcd", threads: false, tickMs: 10 }],
] as const;
const runs = process.env.CI
  ? inCI
  : ([
      ...inCI,
      ["redis, 1 thread", { store: "redis", threads: false, tickMs: 10 }],
      ["postgres, 4 worker threads", { store: "postgres", threads: true, tickMs: 10 }],
    ] as const);

const starters = {
  redis: () => startRedis({ durable: true }),
  postgres: startPostgres,
  mariadb: startMariadb,
  nats: startNats,
  etcd: startEtcd,
};

/** The number of faults and of their effects in all runs, by kind. A run on a busy machine may lack one. */
const effects = new Map<string, number>();

/** The number of IDs that a run must make. Cells take more of the processor, and the runs on them have less of it. */
const leastOf = (store: ChaosRun["store"]) =>
  (seconds / 30) * (store === "redis" || store === "postgres" ? 10_000_000 : 2_000_000);

test.for(runs)("%s, under faults", { timeout: 300_000 }, async ([title, run], { skip }) => {
  const { store, tickMs } = run;
  const least = leastOf(store);
  if (!startable[store]) skip(`no ${store} to start`);
  const server = await starters[store]();
  undo.push(() => server.stop());
  const backend = await connect(store, server);
  const folder = freshFolder();

  const chance = new Chance(seed);
  const outcome = await runProcesses({
    ...run,
    server,
    namespace: NAMESPACE,
    seconds,
    ids: least,
    chance,
    folder,
  });
  const free = await freeNodes(backend, tickMs);
  const findings = readFindings(folder, tickMs);

  const { faults, processes, failures, calm, idle } = outcome;
  const { ids, repeats, log } = findings;
  const events = {
    leases: count(log, "granted"),
    lost: count(log, "lost"),
    reacquired: count(log, "reacquired"),
    released: count(log, "released"),
    "refused without a free node": count(log, "refused", { code: "ERR_NO_NODE_AVAILABLE" }),
    "refused without a store": count(log, "refused", { code: "ERR_BACKEND" }),
    "refused for a wrong clock": count(log, "refused", { code: "ERR_CLOCK_SKEW" }),
    "jumps of a clock": count(log, "jumped"),
  };
  const list = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([name, many]) => `${many} ${name}`)
      .join(", ");
  console.log(
    `chaos: ${title}: ${ids.toLocaleString("en")} IDs of ${processes} processes, ` +
      `${repeats} repeated; ${list(faults)}; ${list(events)}; ${free} of ${NODES} nodes free at the end; ` +
      `by clock: ${list(Object.fromEntries(findings.idsByRole))}; seed ${seed}`,
  );

  if (process.env.CHAOS_RESULTS) {
    const versions = { node: process.version, store: versionOf(store) };
    const repeated = repeats;
    const result: ChaosResult = {
      ...{ title, ...versions, seconds, seed, processes, ids, repeated, faults, effects: events },
    };
    appendFileSync(process.env.CHAOS_RESULTS, `${JSON.stringify(result)}\n`);
  }

  const why = describeFindings(findings, folder);
  expect(failures, why).toEqual([]);
  expect(repeats, why).toBe(0);
  expect(findings.shared.length, why).toBe(0);
  expect(findings.disordered, why).toEqual([]);
  expect(ids, why).toBeGreaterThan(least);

  // The last test looks at these.
  const roles = ["true", "near", "jumping", "ahead", "behind"];
  const made = roles.map(
    (role) => [`IDs of those whose clock is ${role}`, findings.idsByRole.get(role) ?? 0] as const,
  );
  for (const [name, many] of [...Object.entries({ ...faults, ...events }), ...made]) {
    effects.set(name, many + (effects.get(name) ?? 0));
  }

  // Without faults all processes work: each one has made IDs or has asked for a node, and all nodes are in use. After the
  // last process has ended, all nodes are free except those that a clock that is ahead keeps.
  const kept = nodesKept(findings);
  const nodes = findings.nodesBetween(calm.from, calm.to);
  expect(idle, why).toEqual([]);
  expect(nodes.size, why).toBeGreaterThanOrEqual(NODES - kept - 1);
  expect(free, why).toBeGreaterThanOrEqual(NODES - kept);

  rmSync(folder, { recursive: true });
});

test("each kind of fault has happened, and has had its effects, in one of the runs", ({ skip }) => {
  if (effects.size === 0) skip("no run has ended");
  for (const [name, many] of effects) expect(many, name).toBeGreaterThan(0);
});

/** Returns how many nodes clocks that are ahead may have used: one for each lease and for each request without an answer. */
function nodesKept({ log }: Findings): number {
  const theirs = log.filter(({ process }) => process.endsWith("ahead"));
  const refused = ["ERR_NO_NODE_AVAILABLE", "ERR_CLOCK_SKEW"].map((code) =>
    count(theirs, "refused", { code }),
  );
  return count(theirs, "asked") - refused.reduce((sum, many) => sum + many, 0);
}
