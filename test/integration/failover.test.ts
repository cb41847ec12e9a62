// Failovers that lose the last writes: a replica is cut off from its primary, new holders lease nodes from the primary, it
// crashes, and the replica is promoted, while new holders keep coming. Every ID is recorded, and none may repeat.
//
// FAILOVER_ROUNDS is the number of rounds, default 2. With FAILOVER_FENCE=off IDs repeat, because no fence prevents it.

import { setTimeout } from "node:timers/promises";
import { type Lease, leaseNode } from "bitflake/lease";
import { afterEach, expect, test } from "vitest";
import { type Pair, postgresPair, redisPair } from "./failover-pairs.ts";
import { startable } from "./servers.ts";

const rounds = Number(process.env.FAILOVER_ROUNDS ?? 2);
const fence = process.env.FAILOVER_FENCE !== "off";

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** 64 nodes. With ticks of 10 ms, two holders of one node almost certainly repeat an ID. */
const LAYOUT = { timestampBits: 41, datacenterBits: 0, machineBits: 6, sequenceBits: 16 };
const TERMS = { preset: LAYOUT, tickMs: 10, ttlMs: 3000, maxSkewMs: 1000, namespace: "failover" };

/** The codes of other errors that a new holder may get. */
const REFUSALS = ["ERR_BACKEND", "ERR_CLOCK_SKEW", "ERR_NO_NODE_AVAILABLE", "ERR_STORE_CUT_OFF"];

interface Outcome {
  readonly ids: number;
  readonly repeated: number;
  /** How many leases were granted while the replica was cut off, and after its promotion. */
  readonly lost: number;
  readonly after: number;
  /** How many requests were refused by the fence. */
  readonly fenced: number;
}

async function round({ backend, cut, fail }: Pair): Promise<Outcome> {
  const leases: Lease[] = [];
  const seen = new Set<bigint>();
  let [ids, granted, fenced] = [0, 0, 0];
  let isOver = false;
  /** Makes an ID with each lease every 2 ms. */
  const stamping = (async () => {
    while (!isOver) {
      for (const { generator } of leases) {
        try {
          seen.add(generator.nextId());
          ids++;
        } catch {
          // Its lease has ended.
        }
      }
      await setTimeout(2);
    }
  })();
  const leaseOne = async (isFenced = fence) => {
    try {
      leases.push(await leaseNode({ backend, ...TERMS, fence: isFenced }));
      granted++;
    } catch (error) {
      const { code } = error as { code: string };
      if (code === "ERR_LEASE_FENCE") fenced++;
      // A slow answer looks like a clock that is behind.
      else if (!REFUSALS.includes(code)) throw error;
    }
  };
  const requests: Promise<void>[] = [];
  const coming = (async () => {
    while (!isOver) {
      requests.push(leaseOne());
      await setTimeout(100);
    }
  })();
  // Without a fence, because the new servers have forgotten nothing.
  while (granted === 0) await leaseOne(false);
  await setTimeout(500);
  const before = granted;
  await cut();
  const atCut = granted;
  // A Redis that is cut off from its replica grants nothing more after 5 s.
  const cutMs = Date.now();
  while (granted < atCut + 3 && Date.now() < cutMs + 4500) await setTimeout(10);
  const lost = granted - atCut;
  await fail();
  const atEnd = granted;
  // Until new holders get nodes again, and a second more.
  const late = Date.now() + 30_000;
  while (granted < atEnd + 5 && Date.now() < late) await setTimeout(20);
  await setTimeout(1000);
  isOver = true;
  await Promise.all([stamping, coming, ...requests]);
  await Promise.all(leases.map((lease) => lease.release().catch(() => {})));
  expect(before).toBeGreaterThan(0);
  return { ids, repeated: ids - seen.size, lost, after: granted - atEnd, fenced };
}

const pairs = { redis: redisPair, postgres: postgresPair } as const;

test.for(["redis", "postgres"] as const)(
  "no ID repeats when a %s fails over and has lost the last leases",
  { timeout: 60_000 * rounds },
  async (store, { skip }) => {
    if (!startable[store] || !startable.failover[store]) skip(`no ${store} with a replica to start`);
    for (let at = 1; at <= rounds; at++) {
      const outcome = await round(await pairs[store]((step) => undo.push(step)));
      const { ids, repeated, lost, after, fenced } = outcome;
      console.log(
        `failover: ${store}, round ${at}: ${ids.toLocaleString("en")} IDs, ${repeated} repeated; ` +
          `${lost} leases lost with the primary, ${after} taken after it, ${fenced} refused by the fence`,
      );
      expect(repeated).toBe(0);
      // Each of these has happened.
      for (const [name, many] of Object.entries({ ids, lost, after, fenced }))
        expect(many, name).toBeGreaterThan(0);
      for (const step of undo.splice(0).reverse()) await step();
    }
  },
);
