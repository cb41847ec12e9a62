// Conformance suite of leases: every store answers as the rule does, for any order of requests; concurrent holders
// never get the same node; and the cost of a lease.

import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { cellKey } from "../../src/backend/cells.ts";
import { historyIdSql } from "../../src/backend/history.ts";
import type { Backend, CellPort, MemoryPort, SqlPort } from "../../src/backend/index.ts";
import { qualifiedTable, redisKey } from "../../src/backend/storeNames.ts";
import { inspect, leaseNode, NoNodeAvailableError } from "../../src/lease/index.ts";
import { leasePort } from "../../src/lease/openPort.ts";
import {
  acquire,
  type ChooseNode,
  type GrantProof,
  type LeaseAnswer,
  type LeaseTerms,
  longestFreeNode,
  type NamespaceState,
  release,
  renew,
} from "../../src/lease/rule.ts";
import { featureStores, onStore } from "./stores.ts";

/** A prefix of this run alone, because the servers may have other users. */
const prefix = `lease_${process.pid}`;

const MONTH = 30 * 86_400_000;
/** The store's clock cannot be set. In ticks of a month it stands still during a test, at tick 10. */
const EPOCH = Math.floor(Date.now() / MONTH) * MONTH - 10 * MONTH;

/** An action of a holder; `half` selects one of two spaces. */
type Action = {
  readonly half: number;
  readonly owner: string;
  readonly nonce: string;
  readonly terms: Partial<LeaseTerms>;
} & (
  | { readonly do: "acquire"; readonly at: number }
  | { readonly do: "renew"; readonly node: number; readonly at: number; readonly grant: Grant }
  | { readonly do: "release"; readonly node: number; readonly nextTick: number; readonly grant: Grant }
  | { readonly do: "go back" }
);
type Grant = Pick<GrantProof, "generation" | "grantNonce">;

// So few nonces that a holder sometimes has the grant, a copy has renewed it, or the store has gone back to before it.
const nonce = fc.constantFrom("", "n1", "n2");
const anyHolder = {
  half: fc.nat(1),
  // Names with characters that are special in scripts and statements.
  owner: fc.constantFrom("a", "b", "c d", "%s ' \" 1 2 \\", "1:n ü"),
  nonce,
  terms: fc.record({
    shape: fc.constantFrom(...Array(9).fill("41.5.5.12 epoch 0 tick 1 both fields leased"), "other"),
    ttlTicks: fc.integer({ min: 1, max: 3 }),
    maxSkewMs: fc.constantFrom(2 ** 52, 2 ** 52, 2 * MONTH),
    maxSkewTicks: fc.nat(2),
    maxReachTicks: fc.integer({ min: 3, max: 6 }),
    usesFence: fc.boolean(),
  }),
};
const node = fc.nat(2);
const at = fc.nat(14);
const grant = fc.record({ generation: fc.nat(2), grantNonce: nonce });
const anyAction: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ ...anyHolder, do: fc.constant("acquire" as const), at }),
  fc.record({ ...anyHolder, do: fc.constant("acquire" as const), at }),
  fc.record({ ...anyHolder, do: fc.constant("renew" as const), node, at, grant }),
  fc.record({ ...anyHolder, do: fc.constant("renew" as const), node, at, grant }),
  fc.record({ ...anyHolder, do: fc.constant("release" as const), node, nextTick: at, grant }),
  fc.record({ ...anyHolder, do: fc.constant("go back" as const) }),
);

/** Stores another history ID in a namespace, as after a failover. */
async function goBack(port: Backend, namespace: string): Promise<void> {
  if ("eval" in port) {
    const script =
      "if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'history', 'old') end return 'done'";
    await port.eval(script, [redisKey(port, namespace, "lease")], []);
  } else if ("query" in port) {
    await port.query(
      `UPDATE ${qualifiedTable(port, "namespaces")} SET history = 'old' WHERE namespace = $1`,
      [namespace],
    );
  }
}

/** Returns the history ID of a store. */
async function historyIdOf(port: Backend): Promise<string> {
  if ("query" in port) {
    const [row] = await port.query(`SELECT ${await historyIdSql(port)} AS history`, []);
    return String(row?.["history"]);
  }
  if (!("eval" in port)) return "";
  const facts = await port.eval("return redis.call('INFO', 'replication')", [], []);
  return /master_replid:(\w+)/.exec(String(facts))?.[1] ?? "";
}

const requestOf = (owner: string) => ({ owner, nonce: "n" });

const withoutTime = (answer: LeaseAnswer) => ({ ...answer, storeMs: undefined });

/** Returns the choice that a store of cells has made, which is random; `undefined` for a store that goes by the rule's own. */
function chosenBy(port: Backend, answer: LeaseAnswer): ChooseNode | undefined {
  if (!("swap" in port)) return undefined;
  return (nodes, space, tick) => {
    if (answer.outcome !== "granted") return longestFreeNode(nodes, space, tick);
    return { node: answer.node, until: nodes.get(answer.node)?.until ?? -1 };
  };
}

type List = Required<CellPort>["list"];

/** Grants nodes of a namespace: one acquire each, or for cells, whose acquires wait, by writing the nodes. */
async function takeNodes(port: Backend, namespace: string, terms: LeaseTerms, count: number): Promise<void> {
  if (!("swap" in port)) {
    for (let i = 1; i <= count; i++)
      await leasePort(port, namespace).acquire(terms, requestOf(`${i}`), Date.now());
    return;
  }
  let left = count;
  let node = terms.first;
  const value = JSON.stringify(["taken", 0, 2 ** 40, 0, "n"]);
  const take = async () => {
    while (left > 0) {
      const key = cellKey(port, "lease", namespace, `${node++}`);
      left--;
      const { swapped } = await port.swap(key, "", value);
      if (!swapped) left++;
    }
  };
  await Promise.all(Array.from({ length: 20 }, take));
}

let namespaces = 0;
const freshNamespace = () => `${prefix} ${namespaces++} ü'"`;

describe.each(featureStores(prefix))("leases on $name", ({ name, engine, isRepresentative, open, runs }) => {
  let port: Backend;
  onStore(open, ["lease"], (opened) => {
    port = opened;
  });

  test("the store answers as the rule does, and has the same state", async () => {
    const historyId = await historyIdOf(port);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.array(anyAction, { maxLength: 25 }),
        async (count, actions) => {
          const namespace = freshNamespace();
          const store = leasePort(port, namespace);
          // A Redis that has just started does not grant in an unknown namespace.
          const known = { owner: "first", nonce: "n" };
          const shape = actions[0]?.terms.shape ?? "any";
          const nodes = { shape, first: 1000, count: 1, epochMs: EPOCH, tickMs: MONTH };
          const durations = { ttlTicks: 1, maxSkewMs: 2 ** 52, maxSkewTicks: 0, maxReachTicks: 1 };
          const open = { ...nodes, ...durations, usesFence: false };
          await store.acquire(open, known, Date.now());
          let [state] = acquire(undefined, open, known, Date.now(), { ms: Date.now(), historyId });
          if (state) state = { ...state, historyId: (await store.read()).state?.historyId ?? "" };
          /** The nonces of each owner's acquires, the last one at the end. */
          const acquired = new Map<string, string[]>();
          /** Owner and nonce of each renewal. */
          const renewals = new Set<string>();
          for (const action of actions) {
            if (action.do === "go back") {
              if (state && historyId !== "") {
                await goBack(port, namespace);
                state = { ...state, historyId: "old" };
              }
              continue;
            }
            const first = action.half * count;
            const terms = { first, count, epochMs: EPOCH, tickMs: MONTH, ...action.terms } as LeaseTerms;
            const request = { owner: `${action.owner} ${action.half}`, nonce: action.nonce };
            const proofOf = (at: number, grant: Grant) => ({ ...request, ...grant, node: first + at });
            const now = { ms: Date.now(), historyId };
            if (action.do === "release") {
              const proof = proofOf(action.node, action.grant);
              if (state) state = release(state, proof, action.nextTick);
              await store.release(terms, proof, action.nextTick);
              continue;
            }
            const ownerAndNonce = JSON.stringify([request.owner, request.nonce]);
            if (action.do === "acquire") {
              // A nonce belongs to one request. With that of a renewal, an acquire would find the node that the renewal wrote.
              if (renewals.has(ownerAndNonce)) continue;
              // An owner has one acquire. Redis keeps one node per owner, so it does not find the node of an earlier one.
              const nonces = acquired.get(request.owner) ?? [];
              if (nonces.slice(0, -1).includes(request.nonce) && nonces.at(-1) !== request.nonce) continue;
              // From cells a request that is sent again may get another node: see cellClaim.ts.
              if ("swap" in port && nonces.includes(request.nonce)) continue;
              acquired.set(request.owner, [...nonces, request.nonce]);
            } else {
              renewals.add(ownerAndNonce);
            }
            const nowMs = EPOCH + action.at * MONTH + 5;
            const answer =
              action.do === "acquire"
                ? await store.acquire(terms, request, nowMs)
                : await store.renew(terms, proofOf(action.node, action.grant), nowMs);
            const [next, wanted] =
              action.do === "acquire"
                ? acquire(state, terms, request, nowMs, now, chosenBy(port, answer))
                : renew(state, terms, proofOf(action.node, action.grant), nowMs, now);
            expect(withoutTime(answer)).toEqual(withoutTime(wanted));
            if ("storeMs" in answer) expect(Math.abs(answer.storeMs - now.ms)).toBeLessThan(5000);
            state = next;
          }
          const { state: kept } = await store.read();
          const sorted = (one: NamespaceState | undefined) =>
            one && {
              ...one,
              nodes: [...one.nodes].sort(([a], [b]) => a - b),
              // Cells have no fence, so they do not store its facts.
              ...("swap" in port && { longestReachTicks: 0 }),
            };
          expect(sorted(kept)).toEqual(sorted(state));
        },
      ),
      { numRuns: runs(60) },
    );
  });

  // The others need one call, or count the wait in cellClaim.ts.
  if (engine === "postgres" && isRepresentative)
    test("grants the first node of a namespace, however long the statements before it take together", async () => {
      const sql = port as SqlPort;
      // The first statement takes two minutes by the monotonic clock, and the call was made two minutes ago.
      let passedMs = 0;
      const now = performance.now.bind(performance);
      const spy = vi.spyOn(performance, "now").mockImplementation(() => now() + passedMs);
      const slow: SqlPort = {
        ...sql,
        query(text, params) {
          passedMs = 120_000;
          return sql.query(text, params);
        },
      };
      const terms = {
        ...{ shape: "s", first: 0, count: 4, epochMs: 0, tickMs: 1, ttlTicks: 60_000 },
        ...{ maxSkewMs: 60_000, maxSkewTicks: 60_000, maxReachTicks: 180_000, usesFence: true },
      };
      try {
        const sentMs = Date.now() - 120_000;
        const answer = await leasePort(slow, freshNamespace()).acquire(terms, requestOf("0"), sentMs);
        expect(answer).toMatchObject({ outcome: "granted", node: 0 });
      } finally {
        spy.mockRestore();
      }
    });

  test("grants when only the holder's clock has reached the epoch", async () => {
    const nowMs = Date.now() + 60_000;
    const terms = {
      ...{ shape: "s", first: 0, count: 4, epochMs: nowMs - 10, tickMs: 1 },
      ...{ ttlTicks: 100, maxSkewMs: 120_000, maxSkewTicks: 120_000, maxReachTicks: 100, usesFence: false },
    };
    const store = leasePort(port, freshNamespace());
    for (const node of [0, 1]) {
      const answer = await store.acquire(terms, requestOf(`${node}`), nowMs);
      expect(answer).toMatchObject({ outcome: "granted", from: 10, until: 110 });
      // From cells the node is a random one.
      if (!("swap" in port)) expect(answer).toMatchObject({ node });
    }
  });

  test("grants one node each to as many concurrent holders as there are nodes, and none to one more", async () => {
    const namespace = freshNamespace();
    const preset = { timestampBits: 41, datacenterBits: 1, machineBits: 5, sequenceBits: 16 };
    // On a busy machine the last of 64 answers may take long, and then its clock reading is as old as that.
    const limits = { ttlMs: 60_000, maxSkewMs: 30_000, fence: false };
    const options = { backend: port, namespace, preset, ...limits, holder: "crowd" };
    const leases = await Promise.all(Array.from({ length: 64 }, () => leaseNode(options)));
    expect(leases.map((lease) => lease.node).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 64 }, (_, i) => i),
    );
    await expect(leaseNode(options)).rejects.toThrow(NoNodeAvailableError);
    const ids = leases.flatMap(({ generator }) => generator.nextIds(1000));
    expect(new Set(ids).size).toBe(64_000);
    const { held, used, shape } = await inspect(port, namespace);
    expect(held.map(({ node, holder, isCurrent }) => [node, holder, isCurrent])).toEqual(
      Array.from({ length: 64 }, (_, node) => [node, "crowd", true]),
    );
    expect([used, shape]).toEqual([64, "41.1.5.16 epoch 1577836800000 tick 1 both fields leased"]);
    // All are released and acquired again concurrently.
    await Promise.all(leases.map((lease) => lease.release()));
    expect((await inspect(port, namespace)).held).toEqual([]);
    await new Promise((wake) => setTimeout(wake, 20));
    const again = await Promise.all(Array.from({ length: 64 }, () => leaseNode(options)));
    expect(new Set(again.map(({ node }) => node)).size).toBe(64);
    const later = again.flatMap(({ generator }) => generator.nextIds(1000));
    expect(new Set([...ids, ...later]).size).toBe(128_000);
    await Promise.all(again.map((lease) => lease.release()));
  });

  test("grants more nodes than are inserted at once", async () => {
    // Only SQL inserts nodes, 1,024 at once.
    const count = "query" in port ? (isRepresentative ? 2500 : 1200) : 250;
    const terms = {
      shape: "s",
      first: 5000,
      count,
      epochMs: EPOCH,
      tickMs: MONTH,
      ttlTicks: 2,
      maxSkewMs: MONTH,
      maxSkewTicks: 1,
      maxReachTicks: 4,
      usesFence: false,
    };
    const store = leasePort(port, freshNamespace());
    const nodes = new Set<number>();
    // On cells each of those at once that takes the same node as another tries again, within the time of one call.
    const atOnce = "swap" in port ? 10 : 50;
    for (let i = 0; i < count; i += atOnce) {
      const owners = Array.from({ length: atOnce }, (_, at) => `${i + at}`);
      const answers = await Promise.all(
        owners.map((owner) => store.acquire(terms, requestOf(owner), Date.now())),
      );
      for (const answer of answers) nodes.add(answer.outcome === "granted" ? answer.node : -1);
    }
    expect([nodes.size, Math.min(...nodes), Math.max(...nodes)]).toEqual([count, 5000, 5000 + count - 1]);
    expect((await store.acquire(terms, requestOf("one more"), Date.now())).outcome).toBe("taken");
  });

  const taken = runs(1000);
  test(`acquires, renews and releases with few calls, when ${taken} nodes are taken, and 24 are free`, async () => {
    const terms = {
      shape: "s",
      first: 0,
      count: taken + 24,
      epochMs: EPOCH,
      tickMs: MONTH,
      ttlTicks: 2,
      maxSkewMs: MONTH,
      maxSkewTicks: 1,
      maxReachTicks: 4,
      usesFence: false,
    };
    const namespace = freshNamespace();
    const fenced = { ...terms, usesFence: true };
    // The first acquire makes the namespace known, even if the store has just started.
    await leasePort(port, namespace).acquire(terms, requestOf("0"), Date.now());
    await takeNodes(port, namespace, fenced, taken - 1);
    let calls = 0;
    const count =
      <T extends unknown[], R>(requestOf: (...args: T) => R) =>
      (...args: T) => {
        calls++;
        return requestOf(...args);
      };
    const counted: Backend =
      "eval" in port
        ? { ...port, eval: count(port.eval) }
        : "query" in port
          ? { ...port, query: count(port.query) }
          : "swap" in port
            ? { ...port, read: count(port.read), swap: count(port.swap), list: count(port.list as List) }
            : { change: count(port.change as MemoryPort["change"]) as MemoryPort["change"] };
    const store = leasePort(counted, namespace);
    // Without the probe for a history, which each port sends once.
    if ("query" in counted) await historyIdSql(counted);
    calls = 0;
    const granted = await store.acquire(fenced, { owner: "mine", nonce: "n" }, Date.now());
    const node = granted.outcome === "granted" ? granted.node : -1;
    expect(node).toBeGreaterThanOrEqual("swap" in port ? 0 : taken);
    // From cells: a list and a read at once, a look at the node, and its swap. On a busy machine it looks again.
    if ("swap" in port) expect(calls).toBeGreaterThanOrEqual(4);
    else expect(calls).toBe(1);
    calls = 0;
    const mine = { owner: "mine", node, generation: 0, grantNonce: "n", nonce: "next" };
    expect(await store.renew(fenced, mine, Date.now())).toMatchObject({ outcome: "granted" });
    expect(calls).toBe(1);
    await store.release(fenced, mine, 12);
    expect(calls).toBe(2);
    const rounds = "swap" in port ? 20 : 200;
    // The cost is printed and not checked, because the machine may be busy.
    const bare = async () =>
      "eval" in port
        ? port.eval("return 1", [], [])
        : "query" in port
          ? port.query("SELECT 1", [])
          : "swap" in port && port.read("bare");
    const times: Record<"bare" | "acquire", number[]> = { bare: [], acquire: [] };
    for (let i = 0; i < rounds; i++) {
      const start = performance.now();
      await bare();
      const middle = performance.now();
      const timed = requestOf(`timed ${i}`);
      const answer = await leasePort(port, namespace).acquire(fenced, timed, Date.now());
      times.bare.push(middle - start);
      times.acquire.push(performance.now() - middle);
      expect(answer.outcome).toBe("granted");
      // Released in the tick of its grant, so that it is free again.
      if (!("node" in answer)) continue;
      const proof = { ...timed, node: answer.node, generation: 0, grantNonce: timed.nonce };
      await leasePort(port, namespace).release(fenced, proof, 10);
    }
    const median = (some: number[]) => some.sort((one, other) => one - other)[rounds >> 1];
    const ratio = median(times.acquire) / median(times.bare);
    if (!("change" in port)) console.info(`${name}: a lease takes ${ratio.toFixed(1)} × a bare round trip`);
  });
});
