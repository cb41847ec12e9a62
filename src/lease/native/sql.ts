// Leases in PostgreSQL and SQLite: sends the statements and parses their rows.

import { type AnswerOptions, startTimer } from "../../backend/call.ts";
import { historySql } from "../../backend/history.ts";
import type { SqlPort, SqlRow } from "../../backend/ports.ts";
import { queryRows } from "../../backend/sql.ts";
import { type NodeRange, parseGrant, parseWholes } from "../parseAnswer.ts";
import type { LeasePort } from "../port.ts";
import { type LeaseAnswer, type LeaseClaim, type NodeSpace, type NodeState, tickAt } from "../rule.ts";
import { leaseStatements } from "./sqlStatements.ts";

/** How many rows of nodes are inserted at once. */
const ROWS = 1024;

/** The `until` of the first node to end, if there is no node. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** How often an acquire is retried when other holders take its node first. */
const MAX_TRIES = 50;

/** What a space looks like after an acquire that was refused. */
interface SpaceReading {
  readonly storeMs: number;
  readonly shape: unknown;
  readonly fence: number;
  /** Whether the holder's reach and the store's history are stored. */
  readonly isUpToDate: boolean;
  /** The largest node that has a row. */
  readonly largestNode: number;
  /** The earliest `until` of all nodes. */
  readonly soonest: number;
}

type Read<T> = (rows: readonly SqlRow[]) => T | undefined;

/** Returns a function that parses a grant from the first row; `null` if there is no row. */
function readGrant(nodes: NodeRange): (rows: readonly SqlRow[]) => LeaseAnswer | null {
  return ([row]) => (row ? parseGrant(nodes, [row["node"], row["since"], row["until"], row["ms"]]) : null);
}

function readSpace(space: NodeSpace): Read<SpaceReading> {
  return ([row]) => {
    const { ms, shape, fence, known, newest, soonest } = row as SqlRow & Record<string, unknown>;
    const numbers = [ms, fence ?? 0, known, newest ?? space.first - 1, soonest ?? NEVER];
    const [storeMs = 0, raised = 0, isKnown = 0, last = 0, end = 0] = parseWholes(numbers);
    return { storeMs, shape, fence: raised, isUpToDate: isKnown > 0, largestNode: last, soonest: end };
  };
}

function readNodes(rows: readonly SqlRow[]): Map<number, NodeState> {
  const nodes = new Map<number, NodeState>();
  for (const { node, since, until, generation, nonce, owner } of rows) {
    const [number = 0, from = 0, end = 0, renewals = 0] = parseWholes([node, since, until, generation]);
    nodes.set(number, {
      owner: owner === null ? null : String(owner),
      from,
      until: end,
      generation: renewals,
      nonce: String(nonce),
    });
  }
  return nodes;
}

export function sqlLeasePort(port: SqlPort, name: string): LeasePort {
  const plain = leaseStatements(port, undefined);
  /** Returns the statements of a space, and whether they take the parameters of the history. */
  const statementsFor = async ({ isFenced }: NodeSpace) => {
    if (!isFenced || port.dialect !== "postgres") return { ...plain, hasHistory: false };
    const history = await historySql(port);
    return { ...leaseStatements(port, history), hasHistory: true };
  };
  const send = <T>(
    operation: string,
    text: string,
    params: readonly unknown[],
    read: Read<T>,
    options?: AnswerOptions<T>,
  ) => queryRows(port, `lease: ${operation}`, text, [name, ...params], read, options);
  const timing = ({ maxSkewMs, epochMs, tickMs, ttlTicks }: NodeSpace) => [
    maxSkewMs,
    epochMs,
    tickMs,
    ttlTicks,
  ];

  return {
    async acquire(space, { owner, nonce }, nowMs, options = {}) {
      const { onLateAnswer: _, ...limits } = options;
      const { first, count, shape, reach, epochMs, tickMs, ttlTicks, isFenced } = space;
      const statements = await statementsFor(space);
      const params = [owner, nonce, nowMs, ...timing(space), reach, first, shape];
      const last = first + count - 1;
      for (let tries = 1; ; tries++) {
        const grant = await send("acquire", statements.acquire, params, readGrant(space), options);
        if (grant) return grant;
        // Refused. What is read now may change again; it decides only what to answer, or whether to try again.
        const reading = await send("look", statements.look, [first, reach], readSpace(space), limits);
        const { storeMs, largestNode, soonest } = reading;
        if (reading.shape !== null && reading.shape !== shape)
          return { outcome: "shape", shape: String(reading.shape) };
        if (Math.abs(nowMs - storeMs) > space.maxSkewMs) return { outcome: "skew", storeMs };
        const reachedByBoth = Math.max(tickAt(space, Math.min(nowMs, storeMs)), -1);
        if (reading.isUpToDate && isFenced && reading.fence > Math.max(reachedByBoth, 0)) {
          return { outcome: "fenced", until: reading.fence, storeMs };
        }
        const isFree = soonest <= reachedByBoth;
        if (tries === MAX_TRIES || (reading.isUpToDate && !isFree && largestNode >= last)) {
          return { outcome: "taken", soonest, storeMs };
        }
        if (reading.shape === null) await send("name", statements.addNamespace, [shape], () => true, limits);
        if (!reading.isUpToDate) {
          const noticed = statements.hasHistory ? [reach, epochMs, tickMs, ttlTicks] : [reach];
          await send("notice", statements.notice, noticed, () => true, limits);
        }
        if (!isFree && largestNode < last) {
          const range = [first, largestNode + 1, Math.min(largestNode + ROWS, last)];
          await send("grow", statements.addNodes, range, () => true, limits);
        }
        // A random pause, so that holders that acquire at the same moment do not all try again at the same moment.
        if (tries > 1) await new Promise<void>((wake) => startTimer(wake, Math.random() * 5 * tries, limits));
      }
    },

    async renew(space, { owner, nonce, node, generation, grantNonce }, nowMs, options) {
      const statements = await statementsFor(space);
      const claim = [node, generation, grantNonce];
      const params = [
        owner,
        nonce,
        nowMs,
        ...timing(space),
        ...claim,
        ...(statements.hasHistory ? [space.reach] : []),
      ];
      const grant = await send(
        "renew",
        statements.renew,
        params,
        readGrant({ first: node, count: 1 }),
        options,
      );
      if (grant) return grant;
      const readRefusal: Read<LeaseAnswer> = ([row]) => {
        const [storeMs = 0, owned = 0] = parseWholes([row?.["ms"], row?.["owned"]]);
        return { outcome: owned ? "skew" : "lost", storeMs };
      };
      return send("renew", statements.check, [owner, nonce, ...claim], readRefusal, options);
    },

    async release(_space, { owner, nonce, node, generation, grantNonce }: LeaseClaim, firstUnstamped) {
      await send(
        "release",
        plain.release,
        [owner, nonce, node, generation, grantNonce, firstUnstamped],
        () => true,
      );
    },

    async read() {
      const row = await send("read", plain.readNamespace, [], ([first]) => first);
      const { ms, shape, history } = row;
      const numbers = [ms, row["fence"] ?? 0, row["stale"] ?? 0, row["longest"] ?? 0];
      const [storeMs = 0, fence = 0, staleUntil = 0, longestReach = 0] = parseWholes(numbers);
      const nodes = await send("read", plain.readNodes, [], readNodes);
      const state = {
        shape: String(shape),
        nodes,
        history: String(history),
        fence,
        staleUntil,
        longestReach,
      };
      return { state: shape === null ? undefined : state, storeMs };
    },
  };
}
