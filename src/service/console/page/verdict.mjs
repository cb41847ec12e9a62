// The verdict on a status: each problem, its consequences, and where to look first.

import { count, duration, list, plural } from "./format.mjs";

/** The names of the kinds of stores. */
export const STORE_NAMES = {
  redis: "Redis",
  postgres: "PostgreSQL",
  sqlite: "SQLite",
  mysql: "MySQL",
  memory: "Memory of this process",
  cells: "Store with compare-and-set",
};

/** How far clocks may differ before it is worth a warning, in milliseconds. */
const MAX_SKEW_MS = 1000;

/** Returns the effects on clients while a store is down. */
function consequences({ uses }, { lease, rateLimit }) {
  const texts = {
    counters: "Counter IDs get 503.",
    limits:
      rateLimit?.onStoreError === "allow"
        ? "Requests pass without a limit."
        : "All requests that count in the rate limit get 503.",
    leases:
      lease?.state === "held"
        ? `Snowflake IDs continue until the lease ends, in ${duration(lease.msLeft)}.`
        : "No node can be leased.",
    pools: "Numeric IDs get 503.",
  };
  return uses.map((use) => texts[use]).join(" ");
}

function storeProblem(store, status) {
  if (store.state === "ok") return [];
  const fault = store.state === "slow" ? "does not answer" : "cannot be written";
  const title = `The store of ${list(store.uses)} ${fault} (${STORE_NAMES[store.kind]}).`;
  const hint =
    store.state === "slow"
      ? "It has not answered for a second: look at its load, its locks and the network."
      : `Look whether it runs, is reachable, has space and is no read-only replica${
          store.errorCode === null ? "" : ` (${store.errorCode})`
        }.`;
  return [{ level: "bad", title, detail: `${consequences(store, status)} ${hint}` }];
}

function startProblem({ status, startErrorCode }) {
  if (status === "starting") {
    const detail =
      {
        ERR_LEASE_FENCE:
          "The store is new, restarted or failed over: a node is leased when leases that it may have forgotten have ended, after up to 45 s.",
        ERR_NO_NODE_AVAILABLE:
          "All nodes are taken: stop a service of the same name, or use a layout with more nodes.",
      }[startErrorCode] ?? "It starts with its first request, if the program does not start it.";
    return [{ level: "warn", title: "The service is starting.", detail }];
  }
  if (status === "stopping") {
    return [
      { level: "warn", title: "The service is stopping.", detail: "It answers the requests that it has." },
    ];
  }
  if (startErrorCode === null) return [];
  const detail = `${startErrorCode}: the next request tries to start it again. The log has the error.`;
  return [{ level: "bad", title: "The service could not start.", detail }];
}

function leaseProblem({ lease }) {
  if (lease === null || lease.state === "released") return [];
  const code = lease.errorCode === null ? "" : ` (${lease.errorCode})`;
  if (lease.state === "lost") {
    const detail = `Snowflake IDs get 503 until a node is leased again, which is tried all the time${code}.`;
    return [{ level: "bad", title: `The lease of node ${lease.node} is lost.`, detail }];
  }
  const problems = [];
  if (lease.failures > 0) {
    problems.push({
      level: "warn",
      title: `The lease of node ${lease.node} was not renewed: ${plural(lease.failures, "attempt")} failed${code}.`,
      detail: `Snowflake IDs continue for ${duration(lease.msLeft)}, and then get 503.`,
    });
  }
  if (Math.abs(lease.skewMs) > MAX_SKEW_MS) {
    problems.push({
      level: "warn",
      title: `The clocks of this machine and of the store differ by ${duration(Math.abs(lease.skewMs))}.`,
      detail: "Synchronize both by NTP: beyond the limit, leases are not granted.",
    });
  }
  return problems;
}

function poolProblem(pool) {
  const { type, state, available, lowMark, isExhausted, isFilling, errorCode } = pool;
  const code = errorCode === null ? "" : ` (${errorCode})`;
  if (isExhausted) {
    return [
      {
        level: "bad",
        title: `All IDs of the type ${type} are issued.`,
        detail: "Requests get 410. A longer type has more IDs.",
      },
    ];
  }
  if (state === "failing" && available === null) return [];
  if (state === "failing") {
    return [
      {
        level: "bad",
        title: `The pool ${type} issues no IDs${code}.`,
        detail:
          errorCode === "ERR_ID_POOL_HISTORY"
            ? "Its database failed over or was restored: check it, then run bitflake pool accept."
            : "Requests get 503 until a refill succeeds.",
      },
    ];
  }
  if (available !== null && available < lowMark && isFilling === false) {
    return [
      {
        level: "warn",
        title: `The pool ${type} is low: ${count(available)} IDs are available${code}.`,
        detail: `A refill starts at ${count(lowMark)}, and none is running.`,
      },
    ];
  }
  return [];
}

/**
 * Returns the problems of a status, the worst first.
 *
 * @param {number} recentErrors how many answers of the last minute had a status from 500
 * @returns {{ level: "bad" | "warn", title: string, detail: string }[]}
 */
export function findProblems(status, recentErrors) {
  const problems = [
    ...startProblem(status),
    ...status.stores.flatMap((store) => storeProblem(store, status)),
    ...leaseProblem(status),
    ...(status.generator.state === "ok"
      ? []
      : [
          {
            level: "bad",
            title: `No Snowflake ID can be made (${status.generator.errorCode ?? "no answer"}).`,
            detail: "Look at the clock of this machine: it was set back, or does not move.",
          },
        ]),
    ...status.pools.flatMap(poolProblem),
    ...(recentErrors > 0
      ? [
          {
            level: "warn",
            title: `${plural(recentErrors, "request")} of the last minute failed with a status from 500.`,
            detail: "The log has the error of each.",
          },
        ]
      : []),
  ];
  return problems.sort((one, other) => Number(other.level === "bad") - Number(one.level === "bad"));
}
