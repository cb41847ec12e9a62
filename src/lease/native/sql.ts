// Leases in PostgreSQL and SQLite: sends the statements and parses their rows.

import { type AnswerOptions, type CallOptions, limitsUntil, startTimer } from "../../backend/call.ts";
import { historyIdSql } from "../../backend/history.ts";
import type { SqlPort, SqlRow } from "../../backend/ports.ts";
import { queryRows } from "../../backend/sql.ts";
import { type NodeRange, parseGrant, parseIntegers, parseNode } from "../parseAnswer.ts";
import { acquireCallOptions, type LeasePort } from "../port.ts";
import { type GrantProof, type LeaseAnswer, type LeaseTerms, type NodeState, tickAt } from "../rule.ts";
import { leaseStatements } from "./sqlStatements.ts";

/** How many rows of nodes are inserted at once. */
const ROWS = 1024;

/** Stands for the earliest end while no node of the space has a row. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** How often an acquire is tried when other holders take its node first. */
const MAX_TRIES = 50;

/** State of a space after an acquire that was refused. */
interface SpaceState {
  readonly storeMs: number;
  readonly shape: unknown;
  readonly fence: number;
  /** Whether the namespace has a row with the store's history ID and with the holder's `maxReachTicks` or more. */
  readonly isRecorded: boolean;
  /** The largest node that has a row; the one before the first node if none has. */
  readonly largestNode: number;
  /** The earliest `until` of all nodes. */
  readonly soonest: number;
}

type Parse<T> = (rows: readonly SqlRow[]) => T | undefined;

/** Returns a function that parses a grant from the first row; `null` if there is no row. */
function grantParser(nodes: NodeRange): (rows: readonly SqlRow[]) => LeaseAnswer | null {
  return ([row]) => (row ? parseGrant(nodes, [row["node"], row["since"], row["until"], row["ms"]]) : null);
}

function spaceParser({ first }: NodeRange): Parse<SpaceState> {
  return ([row = {}]) => {
    const [storeMs = 0, fence = 0, recorded = 0, largestNode = 0, soonest = 0] = parseIntegers([
      row["ms"],
      row["fence"] ?? 0,
      row["recorded"],
      row["largest"] ?? first - 1,
      row["soonest"] ?? NEVER,
    ]);
    return { storeMs, shape: row["shape"], fence, isRecorded: recorded > 0, largestNode, soonest };
  };
}

function parseNodes(rows: readonly SqlRow[]): Map<number, NodeState> {
  return new Map(
    rows.map(({ node, since, until, generation, nonce, owner }) =>
      parseNode(node, { owner, from: since, until, generation, nonce }),
    ),
  );
}

/** Parses why a renewal was refused: if its proof is current, because of its clock; otherwise the grant is lost. */
const parseRenewalRefusal: Parse<LeaseAnswer> = ([row]) => {
  const [storeMs = 0, current = 0] = parseIntegers([row?.["ms"], row?.["current"]]);
  return { outcome: current > 0 ? "skew" : "lost", storeMs };
};

/** The parameters that the statements to acquire and to renew have in common. */
function timing({ maxSkewMs, epochMs, tickMs, ttlTicks }: LeaseTerms): readonly number[] {
  return [maxSkewMs, epochMs, tickMs, ttlTicks];
}

export function sqlLeasePort(backend: SqlPort, name: string): LeasePort {
  const plain = leaseStatements(backend, undefined);
  /** Returns the statements for a holder, and whether they take the parameters of the history. */
  const statementsFor = async ({ usesFence }: LeaseTerms, options: CallOptions) => {
    if (!usesFence || backend.dialect !== "postgres") return { ...plain, hasHistory: false };
    const historyId = await historyIdSql(backend, options);
    return { ...leaseStatements(backend, historyId), hasHistory: true };
  };
  const send = <T>(
    operation: string,
    text: string,
    params: readonly unknown[],
    parse: Parse<T>,
    options?: AnswerOptions<T>,
  ) => queryRows(backend, `lease: ${operation}`, text, [name, ...params], parse, options);

  return {
    async acquire(terms, { owner, nonce }, nowMs, options = {}) {
      const { onLateAnswer, ...callOptions } = acquireCallOptions(options);
      const limits = limitsUntil(callOptions);
      const { first, count, shape, maxReachTicks, maxSkewTicks, epochMs, tickMs, usesFence } = terms;
      const startedAt = performance.now();
      /** Returns the holder's time. A long wait for this call's own statements is no difference of the clocks. */
      const holderMs = () => {
        const waitedMs = performance.now() - startedAt;
        return waitedMs > terms.maxSkewMs / 2 ? Math.floor(nowMs + waitedMs) : nowMs;
      };
      const statements = await statementsFor(terms, limits());
      const last = first + count - 1;
      for (let tries = 1; ; tries++) {
        const params = [owner, nonce, holderMs(), ...timing(terms), maxReachTicks, first, shape];
        const grant = await send("acquire", statements.acquire, params, grantParser(terms), {
          ...limits(),
          onLateAnswer,
        });
        if (grant) return grant;
        // Refused. The state that is read now may change again, so it grants nothing: it decides the answer, or which rows to
        // write before the next try.
        const space = await send(
          "read space",
          statements.readSpace,
          [first, maxReachTicks],
          spaceParser(terms),
          limits(),
        );
        const { storeMs, largestNode, soonest } = space;
        if (space.shape !== null && space.shape !== shape)
          return { outcome: "shape", shape: String(space.shape) };
        const readMs = holderMs();
        if (Math.abs(readMs - storeMs) > terms.maxSkewMs) return { outcome: "skew", storeMs };
        const reachedByBoth = Math.max(tickAt(terms, Math.min(readMs, storeMs)), -1);
        if (space.isRecorded && usesFence && space.fence > Math.max(reachedByBoth, 0)) {
          return { outcome: "fenced", until: space.fence, storeMs };
        }
        const isFree = soonest <= reachedByBoth;
        if (tries === MAX_TRIES || (space.isRecorded && !isFree && largestNode >= last)) {
          return { outcome: "taken", soonest, storeMs };
        }
        if (space.shape === null)
          await send("add namespace", statements.addNamespace, [shape], () => true, limits());
        if (!space.isRecorded) {
          const facts = statements.hasHistory
            ? [maxReachTicks, epochMs, tickMs, maxSkewTicks]
            : [maxReachTicks];
          await send("record history", statements.recordHistory, facts, () => true, limits());
        }
        if (!isFree && largestNode < last) {
          const range = [first, largestNode + 1, Math.min(largestNode + ROWS, last)];
          await send("add nodes", statements.addNodes, range, () => true, limits());
        }
        // A random pause, so that holders that acquire at the same moment do not all try again at the same moment.
        if (tries > 1)
          await new Promise<void>((wake) => startTimer(wake, Math.random() * 5 * tries, options));
      }
    },

    async renew(terms, { owner, nonce, node, generation, grantNonce }, nowMs, options = {}) {
      const limits = limitsUntil(options);
      const statements = await statementsFor(terms, limits());
      const proof = [node, generation, grantNonce];
      const params = [
        ...[owner, nonce, nowMs, ...timing(terms), ...proof],
        ...(statements.hasHistory ? [terms.maxSkewTicks, terms.maxReachTicks] : []),
      ];
      const parse = grantParser({ first: node, count: 1 });
      const grant = await send("renew", statements.renew, params, parse, limits());
      if (grant) return grant;
      const check = [owner, nonce, ...proof];
      return send("renew", statements.countCurrent, check, parseRenewalRefusal, limits());
    },

    async release(_space, { owner, nonce, node, generation, grantNonce }: GrantProof, nextTick) {
      const params = [owner, nonce, node, generation, grantNonce, nextTick];
      await send("release", plain.release, params, () => true);
    },

    async read() {
      const row = await send("read", plain.readNamespace, [], ([first]) => first);
      const numbers = [row["ms"], row["fence"] ?? 0, row["stale"] ?? 0, row["longest"] ?? 0];
      const [storeMs = 0, fence = 0, staleUntil = 0, longestReachTicks = 0] = parseIntegers(numbers);
      const nodes = await send("read", plain.readNodes, [], parseNodes);
      if (row["shape"] === null) return { state: undefined, storeMs };
      const [shape, historyId] = [String(row["shape"]), String(row["history"])];
      return { state: { shape, nodes, historyId, fence, staleUntil, longestReachTicks }, storeMs };
    },
  };
}
