// The checker of traces: it finds no stray in the traffic of a store that runs the rule, and some in that of each mutant.

import { describe, expect, test } from "vitest";
import type { LeasePort } from "../../src/lease/port.ts";
import * as rule from "../../src/lease/rule.ts";
import { Chance } from "../integration/chaos/chance.ts";
import { findStray, type RecordedCall } from "../proof/strays.ts";
import { recordTraffic } from "../proof/traffic.ts";
import { harmfulMutants } from "./model/mutants.ts";
import type { LeaseRule } from "./model/store.ts";

const TERMS = {
  ...{ shape: "any", first: 0, count: 2, epochMs: 0, tickMs: 1 },
  ...{ ttlTicks: 20, maxSkewMs: 15, maxSkewTicks: 15, maxReachTicks: 50, usesFence: true },
};

/** Records traffic on a store in memory that runs a rule, by a clock that each call moves. */
async function recordOn({ acquire, renew, release }: LeaseRule, seed: number, calls: number) {
  const choices = new Chance(seed);
  let state: rule.NamespaceState | undefined;
  let ms = 1000;
  const facts = () => ({ ms, historyId: "now" });
  /** A store does a call at some moment before its answer. */
  const pass = async () => {
    for (let turns = choices.between(1, 4); turns > 0; turns--) await Promise.resolve();
    ms += choices.between(0, 3);
  };
  const port: LeasePort = {
    async acquire(terms, request, nowMs) {
      await pass();
      const [next, answer] = acquire(state, terms, request, nowMs, facts());
      state = next;
      await pass();
      return answer;
    },
    async renew(terms, proof, nowMs) {
      await pass();
      const [next, answer] = renew(state, terms, proof, nowMs, facts());
      state = next;
      await pass();
      return answer;
    },
    async release(_space, proof, nextTick) {
      await pass();
      state = state && release(state, proof, nextTick);
      await pass();
    },
    read: async () => ({ state, storeMs: ms }),
  };
  return recordTraffic({
    ...{
      port,
      terms: TERMS,
      state,
      historyId: "now",
      notCompared: [],

      clock: () => ms,
      choices,
    },
    ...{ holders: 4, calls, offsetMs: 6 },
    changeHistory: async (historyId) => {
      state = state && { ...state, historyId };
    },
  });
}

const SEEDS = [1, 2, 3, 4, 5];

test("a store that runs the rule has no stray, and gives each kind of answer", async () => {
  const outcomes = new Set<string>();
  for (const seed of SEEDS) {
    const trace = await recordOn(rule, seed, 400);
    expect(findStray(trace).stray).toBeUndefined();
    for (const call of trace.calls) outcomes.add("answer" in call ? call.answer.outcome : call.kind);
  }
  expect(outcomes).toEqual(new Set(["granted", "taken", "fenced", "lost", "skew", "release", "history"]));
});

describe("there is a stray in the traffic of a store in which", () => {
  const { acquire, renew, release } = rule;
  const ofStores = harmfulMutants.filter(
    (one) => one.rule.acquire !== acquire || one.rule.renew !== renew || one.rule.release !== release,
  );

  test("18 of the mutants are", () => {
    expect(ofStores.length).toBe(18);
  });

  test.each(ofStores)("$title", async ({ rule: mutated }) => {
    const strays: string[] = [];
    for (let seed = 1; seed <= 60 && strays.length === 0; seed++) {
      const { stray } = findStray(await recordOn(mutated, seed, 200));
      if (stray) strays.push(stray);
    }
    expect(strays).toHaveLength(1);
  });
});

describe("the order of calls", () => {
  const { acquire } = rule;
  const proof = { owner: "a", nonce: "n", node: 0, generation: 0, grantNonce: "a" };
  const [, granted] = acquire(undefined, TERMS, { owner: "a", nonce: "a" }, 100, { ms: 100, historyId: "" });
  const got = { kind: "acquire", request: { owner: "a", nonce: "a" }, nowMs: 100, answer: granted } as const;
  const lost = { kind: "renew", proof, nowMs: 100, answer: { outcome: "lost", storeMs: 100 } } as const;
  const of = (...calls: RecordedCall[]) =>
    findStray({ terms: TERMS, state: undefined, historyId: "", notCompared: [], calls });

  test("is free while calls overlap", () => {
    expect(of({ ...got, began: 0, ended: 3 }, { ...lost, began: 1, ended: 2 }).stray).toBeUndefined();
  });

  test("keeps a call after one that had ended when it began", () => {
    const { stray } = of({ ...got, began: 0, ended: 1 }, { ...lost, began: 2, ended: 3 });
    expect(stray).toContain('"lost"');
  });
});
