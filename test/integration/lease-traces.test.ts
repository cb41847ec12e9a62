// Traces of real stores: concurrent holders lease nodes, and no answer is a stray, one that the rule cannot have given.
//
// TRACE_CALLS sets the number of calls in all. TRACE_SEED repeats the choices of a run, except for the timing.

import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Backend } from "../../src/backend/index.ts";
import { redisKey } from "../../src/backend/storeNames.ts";
import { leasePort } from "../../src/lease/openPort.ts";
import type { LeaseAnswer } from "../../src/lease/rule.ts";
import { findStray } from "../proof/strays.ts";
import { recordTraffic } from "../proof/traffic.ts";
import { Chance } from "./chaos/chance.ts";
import { onStore, stores } from "./stores.ts";

const ENGINES = ["redis", "postgres", "mariadb", "nats"];
const calls = Number(process.env.TRACE_CALLS ?? 4000);
const seed = Number(process.env.TRACE_SEED ?? Date.now() % 2 ** 31);

/** A prefix of this run alone, because the servers may have other users. */
const prefix = `traces_${process.pid}`;

/** The calls of one namespace. A search of an order needs the more time the more of them there are. */
const TRACE_LENGTH = 400;

/** Namespaces whose calls are made at the same time, and the holders of each one. */
const NAMESPACES = 4;
const HOLDERS = 4;

const SPACE = { shape: "any", first: 0, count: 2, epochMs: 0, tickMs: 1 };

/** More nodes for NATS, so that few acquires list all of them, which takes long while others write. */
const NATS_NODES = 16;

/** Grants of 20 ms, and a fence that is reached after as long again. */
const WITH_FENCE = {
  ...SPACE,
  ...{ ttlTicks: 20, maxSkewMs: 15, maxSkewTicks: 15, maxReachTicks: 50, usesFence: true },
};

/**
 * A claim of a cell and an acquire on SQL add a long wait to the holder's time, if it is more than half of `maxSkewMs`, and the
 * trace does not have that time.
 */
const WITH_WAITS = {
  ...SPACE,
  ...{ ttlTicks: 20, maxSkewMs: 120_000, maxSkewTicks: 120_000, maxReachTicks: 240_020, usesFence: false },
};

/**
 * The refusals that a store decides at several moments. PostgreSQL reads why it has renewed nothing in a second statement, so the
 * clocks may agree again by then. Cells are read one after the other.
 */
const NOT_COMPARED: Readonly<Record<string, readonly LeaseAnswer["outcome"][]>> = {
  postgres: ["skew"],
  mariadb: ["taken"],
  nats: ["taken"],
};

/** Makes the state of a Redis name another history. */
async function changeHistory(port: Backend, namespace: string, historyId: string): Promise<void> {
  if (!("eval" in port)) return;
  const script = "redis.call('HSET', KEYS[1], 'history', ARGV[1]) return 'done'";
  await port.eval(script, [redisKey(port, namespace, "lease")], [historyId]);
}

const representatives = stores(prefix).filter(
  ({ engine, isRepresentative }) => isRepresentative && ENGINES.includes(engine),
);

describe.each(representatives)("$engine", ({ engine, open }) => {
  let port: Backend;
  onStore(open, ["lease"], (opened) => {
    port = opened;
  });

  test("no answer is a stray", { timeout: 7_200_000 }, async () => {
    const terms = {
      ...("eval" in port ? WITH_FENCE : { ...WITH_WAITS, usesFence: "query" in port }),
      ...(engine === "nats" && { count: NATS_NODES }),
    };
    const share = Math.ceil(calls / representatives.length);
    const outcomes = new Map<string, number>();
    const strays: string[] = [];
    let replayed = 0;
    let moved = 0;
    let namespaces = 0;

    async function traceOne(): Promise<void> {
      const namespace = `${namespaces++}`;
      const choices = new Chance(seed + namespaces);
      const store = leasePort(port, namespace);
      // A Redis that has just started does not grant in an unknown namespace, except without a fence. With one, the state then
      // has the history ID of the store.
      for (const usesFence of [false, true]) {
        const known = { ...terms, first: 1000, usesFence };
        const owner = `first ${usesFence}`;
        // An answer takes longer than the accepted skew on a busy machine.
        while ((await store.acquire(known, { owner, nonce: "n" }, Date.now())).outcome === "skew")
          await setTimeout(1);
      }
      const { state } = await store.read();
      const trace = await recordTraffic({
        ...{
          port: store,
          terms,
          state,
          historyId: state?.historyId ?? "",
          notCompared: NOT_COMPARED[engine] ?? [],
        },
        ...{ clock: Date.now, choices, holders: HOLDERS, calls: TRACE_LENGTH, offsetMs: 6 },
        // PostgreSQL notices it in a statement of its own, whose time no answer has.
        ...("eval" in port && { changeHistory: (id: string) => changeHistory(port, namespace, id) }),
      });
      for (const call of trace.calls) {
        const outcome = "answer" in call ? call.answer.outcome : call.kind;
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
      const search = findStray(trace);
      if (search.stray) strays.push(`seed ${seed}, namespace ${namespace}, ${search.stray}`);
      replayed += trace.calls.length;
      moved += search.moved;
    }

    const work = async () => {
      while (namespaces * TRACE_LENGTH < share) await traceOne();
    };
    await Promise.all(Array.from({ length: NAMESPACES }, work));
    const counts = [...outcomes].map(([name, count]) => `${count} ${name}`).join(", ");
    console.log(
      `traces: ${engine}: ${replayed.toLocaleString("en")} calls in ${namespaces} namespaces (${counts}), ` +
        `${strays.length} strays, ${moved} repeated requests with another grant or none; seed ${seed}`,
    );
    expect(strays).toEqual([]);
    expect(replayed).toBeGreaterThanOrEqual(share);
    for (const outcome of ["granted", "lost", "skew", "release"])
      expect(outcomes.get(outcome), outcome).toBeGreaterThan(0);
  });
});

test("there is a store to trace, and each engine if the number of calls was set", () => {
  expect(representatives).not.toEqual([]);
  if (process.env.TRACE_CALLS !== undefined)
    expect(representatives.map(({ engine }) => engine).sort()).toEqual(ENGINES.toSorted());
});
