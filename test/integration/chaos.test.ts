// Chaos test: real processes lease nodes from a real store and make IDs, while they are killed and stopped, while their
// clocks are wrong, and while the store is restarted, crashes and freezes. Every ID is kept, and none may be there twice.
//
// CHAOS_SEED repeats the choices of a run, as far as the machine keeps time; CHAOS_SECONDS makes it longer or shorter;
// CHAOS_DIST is another build to try: one that is broken on purpose should not get through.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Backend, fromIORedis, fromPg, setup } from "bitflake/backend";
import { type Lease, leaseNode, NoNodeAvailableError } from "bitflake/lease";
import { Redis } from "ioredis";
import pg from "pg";
import { afterEach, expect, test } from "vitest";
import { Chance } from "./chaos/chance.ts";
import { count, type Findings, readFindings, stampOf } from "./chaos/findings.ts";
import { type Campaign, churn, LAYOUT, NODES, TTL_MS } from "./chaos/workers.ts";
import { type Server, startable, startPostgres, startRedis } from "./servers.ts";

const seconds = Number(process.env.CHAOS_SECONDS ?? 30);
const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 2 ** 31);

const NAMESPACE = "chaos";

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

function freshFolder(): string {
  return mkdtempSync(join(tmpdir(), "bitflake-chaos-"));
}

/** The store as this process sees it, made ready for leases. */
async function connect(store: Campaign["store"], { url }: Server): Promise<Backend> {
  if (store === "redis") {
    const client = new Redis(url);
    client.on("error", () => {});
    undo.push(() => client.disconnect());
    return fromIORedis(client);
  }
  const pool = new pg.Pool({ connectionString: url });
  pool.on("error", () => {});
  undo.push(() => pool.end());
  const backend = fromPg(pool);
  await setup(backend, ["lease"]);
  return backend;
}

/** How many nodes a process can have whose clock is right, now that all others have ended. */
async function freeNodes(backend: Backend, tickMs: number): Promise<number> {
  const leases: Lease[] = [];
  try {
    for (;;) {
      const terms = {
        backend,
        namespace: NAMESPACE,
        preset: LAYOUT,
        tickMs,
        ttlMs: TTL_MS,
        fence: !("eval" in backend),
        waitMs: 2 * TTL_MS,
      };
      leases.push(await leaseNode(terms));
    }
  } catch (error) {
    expect(error).toBeInstanceOf(NoNodeAvailableError);
  }
  await Promise.all(leases.map((lease) => lease.release()));
  return leases.length;
}

/** What to read first where something is wrong. */
function complaint({ repeated, shared, explain }: Findings, folder: string): string {
  const some = new Set([...repeated.map(stampOf), ...shared]);
  return `seed ${seed}, all files are in ${folder}\n${[...some].slice(0, 2).map(explain).join("\n")}`;
}

test("what is wrong with IDs is found", () => {
  const folder = freshFolder();
  undo.push(() => rmSync(folder, { recursive: true }));
  const stamp = (tick: bigint, node: bigint) => ((tick << 3n) | node) << 19n;
  const files = {
    "1-true.1.0": [stamp(7n, 2n), stamp(7n, 2n) + 1n, stamp(9n, 2n)],
    // Another thread of the same lease, which may share ticks but no ID.
    "1-true.1.1": [stamp(7n, 2n) + 2n, stamp(9n, 2n)],
    // Another lease, which may not.
    "1-true.2.0": [stamp(7n, 2n) + 3n],
    "2-near.1.0": [stamp(5n, 1n), stamp(4n, 1n), stamp(6n, 1n)],
  };
  for (const [name, ids] of Object.entries(files)) {
    // Whoever wrote it was killed in the midst of the next one.
    const bytes = [...new Uint8Array(BigUint64Array.from(ids).buffer), 1, 2, 3];
    writeFileSync(join(folder, `${name}.ids`), Uint8Array.from(bytes));
  }
  writeFileSync(join(folder, "1-true.log"), '{"at":1,"event":"granted","node":2}\n{"at":2,"eve');
  const found = readFindings(folder, 1);
  expect(found).toMatchObject({ ids: 9, files: 4, repeats: 1, repeated: [stamp(9n, 2n)] });
  expect(found.shared).toEqual([7 * 8 + 2]);
  expect(found.disordered).toEqual(["2-near.1.0.ids"]);
  expect(count(found.log, "granted", { node: 2 })).toBe(1);
  const told = found.explain(7 * 8 + 2);
  for (const part of ["node 2", "2 IDs in 1-true.1.0.ids", "1 IDs in 1-true.2.0.ids", '"granted"']) {
    expect(told).toContain(part);
  }
});

// In a tick of 10 ms a node can change hands, which it hardly does in one of 1 ms.
const runs = [
  ["redis, 1 thread", { store: "redis", threads: false, tickMs: 10 }],
  ["postgres, 1 thread", { store: "postgres", threads: false, tickMs: 1 }],
  ["redis, 4 worker threads", { store: "redis", threads: true, tickMs: 1 }],
  ["postgres, 4 worker threads", { store: "postgres", threads: true, tickMs: 10 }],
] as const;

/** So many IDs, or the run has tried too little. */
const LEAST = (seconds / 30) * 10_000_000;

test.for(runs)("%s, under faults", { timeout: 300_000 }, async ([title, run], { skip }) => {
  const { store, tickMs } = run;
  if (!startable[store]) skip(`there is no ${store} to start`);
  const server = store === "redis" ? await startRedis({ durable: true }) : await startPostgres();
  undo.push(() => server.stop());
  const backend = await connect(store, server);
  const folder = freshFolder();

  const chance = new Chance(seed);
  const outcome = await churn({ ...run, server, namespace: NAMESPACE, seconds, ids: LEAST, chance, folder });
  const free = await freeNodes(backend, tickMs);
  const findings = readFindings(folder, tickMs);

  const { troubles, processes, failures, calm, survivors } = outcome;
  const { ids, repeats, log } = findings;
  const lived = {
    leases: count(log, "granted"),
    lost: count(log, "lost"),
    "had again": count(log, "reacquired"),
    "given back": count(log, "released"),
    "refused for want of a node": count(log, "refused", { code: "ERR_NO_NODE_AVAILABLE" }),
    "for want of a store": count(log, "refused", { code: "ERR_BACKEND" }),
    "for the clock": count(log, "refused", { code: "ERR_CLOCK_SKEW" }),
    "jumps of a clock": count(log, "jumped"),
  };
  const list = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([name, many]) => `${many} ${name}`)
      .join(", ");
  console.log(
    `chaos: ${title}: ${ids.toLocaleString("en")} IDs of ${processes} processes, ` +
      `${repeats} repeated; ${list(troubles)}; ${list(lived)}; ${free} of ${NODES} nodes free at the end; ` +
      `by clock: ${list(Object.fromEntries(findings.idsByRole))}; seed ${seed}`,
  );

  const why = complaint(findings, folder);
  expect(failures, why).toEqual([]);
  expect(repeats, why).toBe(0);
  expect(findings.shared.length, why).toBe(0);
  expect(findings.disordered, why).toEqual([]);
  expect(ids, why).toBeGreaterThan(LEAST);

  // All of it has happened, and the processes have felt it.
  for (const [name, many] of Object.entries({ ...troubles, ...lived })) expect(many, name).toBeGreaterThan(0);
  for (const role of ["true", "near", "jumping", "ahead", "behind"]) {
    expect(findings.idsByRole.get(role), `IDs of those whose clock is ${role}`).toBeGreaterThan(0);
  }

  // Once it is over, all goes on: each process has made IDs or has asked for a node, all nodes are in use, and whatever
  // is not kept by a clock that is ahead comes free when the last have gone.
  const kept = nodesKept(findings);
  const late = findings.madeBetween(calm.to - TTL_MS, calm.to);
  const idle = survivors.filter((name) => {
    const said = log.some(({ process, at }) => process === name && at >= calm.from && at < calm.to);
    return !said && !late.processes.has(name);
  });
  expect(idle, why).toEqual([]);
  expect(late.nodes.size, why).toBeGreaterThanOrEqual(NODES - kept - 1);
  expect(free, why).toBeGreaterThanOrEqual(NODES - kept);

  rmSync(folder, { recursive: true });
});

/** How many nodes clocks that are ahead may have used: each lease is one, and so is each question that had no answer. */
function nodesKept({ log }: Findings): number {
  const theirs = log.filter(({ process }) => process.endsWith("ahead"));
  const refused = ["ERR_NO_NODE_AVAILABLE", "ERR_CLOCK_SKEW"].map((code) =>
    count(theirs, "refused", { code }),
  );
  return count(theirs, "asked") - refused.reduce((sum, many) => sum + many, 0);
}
