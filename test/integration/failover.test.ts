// Failovers that lose the last writes: a replica is cut off from its primary, newcomers lease nodes of that, which then
// dies, and the replica is promoted, while newcomers go on to come. Every ID is kept, and none may be there twice.
//
// FAILOVER_ROUNDS says how often, by default 2; FAILOVER_FENCE=off shows what the fence is for.

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

/** 64 nodes. In ticks of 10 ms, two that have one node can hardly make no ID twice. */
const LAYOUT = { timestampBits: 41, datacenterBits: 0, machineBits: 6, sequenceBits: 16 };
const TERMS = { preset: LAYOUT, tickMs: 10, ttlMs: 3000, maxSkewMs: 1000, namespace: "failover" };

/** What a newcomer may be refused with besides. */
const REFUSALS = ["ERR_BACKEND", "ERR_CLOCK_SKEW", "ERR_NO_NODE_AVAILABLE", "ERR_STORE_CUT_OFF"];

interface Outcome {
  readonly ids: number;
  readonly repeated: number;
  /** How many were granted a node while the replica heard nothing, and after it had been promoted. */
  readonly lost: number;
  readonly after: number;
  /** How many were told to wait. */
  readonly fenced: number;
}

async function round({ backend, cut, fail }: Pair): Promise<Outcome> {
  const leases: Lease[] = [];
  const seen = new Set<bigint>();
  let [ids, granted, fenced] = [0, 0, 0];
  let isOver = false;
  /** All who can make an ID, every 2 ms. */
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
  const come = async (isFenced = fence) => {
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
  const newcomers: Promise<void>[] = [];
  const coming = (async () => {
    while (!isOver) {
      newcomers.push(come());
      await setTimeout(100);
    }
  })();
  // The servers have just come up, and have forgotten nothing.
  while (granted === 0) await come(false);
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
  // Until newcomers have nodes again, and a second more.
  const late = Date.now() + 30_000;
  while (granted < atEnd + 5 && Date.now() < late) await setTimeout(20);
  await setTimeout(1000);
  isOver = true;
  await Promise.all([stamping, coming, ...newcomers]);
  await Promise.all(leases.map((lease) => lease.release().catch(() => {})));
  expect(before).toBeGreaterThan(0);
  return { ids, repeated: ids - seen.size, lost, after: granted - atEnd, fenced };
}

const pairs = { redis: redisPair, postgres: postgresPair } as const;

test.for(["redis", "postgres"] as const)(
  "no ID is made twice when a %s fails over and has lost the last leases",
  { timeout: 60_000 * rounds },
  async (store, { skip }) => {
    if (!startable[store] || !startable.failover[store]) skip(`there is no ${store} with a replica to start`);
    for (let at = 1; at <= rounds; at++) {
      const outcome = await round(await pairs[store]((step) => undo.push(step)));
      const { ids, repeated, lost, after, fenced } = outcome;
      console.log(
        `failover: ${store}, round ${at}: ${ids.toLocaleString("en")} IDs, ${repeated} repeated; ` +
          `${lost} leases lost with the primary, ${after} taken after it, ${fenced} told to wait`,
      );
      expect(repeated).toBe(0);
      // All of it has happened.
      for (const [name, many] of Object.entries({ ids, lost, after, fenced }))
        expect(many, name).toBeGreaterThan(0);
      for (const step of undo.splice(0).reverse()) await step();
    }
  },
);
