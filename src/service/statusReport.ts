// The report of /status: everything that the console shows. It has no secrets and no address of a store.

import { type Backend, isMysqlPort } from "../backend/ports.ts";
import { BitflakeError, capacity, mergeOptions, resolveGeneratorSettings } from "../internal.ts";
import type { LeaseStatus, NamespaceReport } from "../lease/index.ts";
import { VERSION } from "../version.ts";
import { readCounts, sumCounts } from "./counts.ts";
import type { Dependency } from "./dependency.ts";
import type { PoolState } from "./health.ts";
import { isPoolWorking, type State, serviceStatus, stateOf } from "./healthRule.ts";
import { BUCKET_BOUNDS } from "./histogram.ts";
import { NodeHolders } from "./nodeHolders.ts";
import { POOL_MARKS } from "./resources.ts";
import type { RouteDeps } from "./route.ts";
import { withTimeout } from "./withTimeout.ts";

/** How long a report waits for each probe, in milliseconds. A store that takes longer is reported as slow. */
const MAX_WAIT_MS = 1000;

/** The most nodes in a report. */
const MAX_NODES = 1024;

/** The kind of a store: its engine, or the port that its adapter has. */
type StoreKind = "redis" | "postgres" | "sqlite" | "mysql" | "memory" | "cells";

/** `"slow"`: it did not answer the probe within a second, and the probe has not ended. */
type ProbedState = State | "slow";

/** The result of a probe. */
interface Probe {
  readonly state: ProbedState;
  /** The code of the error; `null` without one. */
  readonly errorCode: string | null;
}

function kindOf(backend: Backend): StoreKind {
  if ("eval" in backend) return "redis";
  if ("query" in backend) return backend.dialect;
  if (isMysqlPort(backend)) return "mysql";
  return "swap" in backend ? "cells" : "memory";
}

/** Returns the code of an error: its message may have an address in it. */
function codeOf(error: unknown): string | null {
  if (error === undefined) return null;
  return error instanceof BitflakeError ? error.code : "ERR_INTERNAL";
}

async function probe(dependency: Dependency): Promise<Probe> {
  const isWorking = await withTimeout(dependency.check(), MAX_WAIT_MS);
  if (isWorking === undefined) return { state: "slow", errorCode: codeOf(dependency.failure) };
  return { state: stateOf(isWorking), errorCode: codeOf(dependency.failure) };
}

function reportLease(lease: LeaseStatus) {
  const { state, node, until, renewedAt, clock, skewMs, failures, grants, lastError } = lease;
  return {
    state,
    node,
    until,
    renewedAt,
    msLeft: state === "held" ? Math.max(0, until.getTime() - Date.now()) : 0,
    clock,
    skewMs,
    failures,
    grants,
    errorCode: codeOf(lastError),
  };
}

/** Reports the nodes without the owners' tokens, which are proofs of a grant. */
function reportNodes({ storeTime, clock, used, held }: NamespaceReport, ownNode: number | undefined) {
  const nodes = held.map(({ node, datacenterId, machineId, holder, from, until, isCurrent }) => {
    const isOwn = isCurrent && node === ownNode;
    return { node, datacenterId, machineId, holder, from, until, isCurrent, isOwn };
  });
  return {
    storeTime,
    clock,
    used,
    held: held.filter(({ isCurrent }) => isCurrent).length,
    // Those that have expired last, because they are no longer anybody's.
    list: nodes.sort((one, other) => Number(other.isCurrent) - Number(one.isCurrent)).slice(0, MAX_NODES),
  };
}

function reportPool(type: string, length: number, state: PoolState | undefined) {
  const status = state?.status;
  return {
    type,
    length,
    // Without a state the count was still running, or the service has not started.
    state: state === undefined ? ("slow" as const) : stateOf(isPoolWorking(state)),
    ...POOL_MARKS,
    available: status?.available ?? null,
    taken: status?.taken ?? null,
    remaining: status ? String(status.remaining) : null,
    isExact: status?.isExact ?? null,
    isFilling: status?.isFilling ?? null,
    isExhausted: status?.isExhausted ?? null,
    errorCode: codeOf(status?.lastError),
  };
}

/** A reading of the leases, or the state of their store if it failed. */
interface HoldersReading extends Probe {
  readonly report: NamespaceReport | undefined;
}

/** Reports the state of a service. */
export class StatusReporter {
  readonly #deps: RouteDeps;
  readonly #holders: NodeHolders;
  readonly #layout: object;

  constructor(deps: RouteDeps) {
    this.#deps = deps;
    this.#holders = new NodeHolders(deps.settings);
    const { node, preset } = deps.settings;
    const options = mergeOptions(node, mergeOptions(preset));
    const { layout, epochMs, tickMs } = resolveGeneratorSettings(options);
    this.#layout = { ...layout, epochMs, tickMs, capacity: capacity(options) };
  }

  /** Resolves to the report, at the latest after the waits for probes and peers. It does not start the service. */
  async read(): Promise<object> {
    const { settings, lifecycle, metrics, peers } = this.#deps;
    const { types, apiKeys, rateLimit } = settings;
    const { health } = lifecycle;
    const typeNames = Object.keys(types);
    const hasOwnPoolBackend = health.poolBackendDependency !== health.backendDependency;
    const [backend, poolBackend, generatorProbe, poolStates, holders, reports] = await Promise.all([
      probe(health.backendDependency),
      hasOwnPoolBackend && typeNames.length > 0 ? probe(health.poolBackendDependency) : undefined,
      probe(health.generatorDependency),
      withTimeout(health.poolStates(), MAX_WAIT_MS),
      this.#readHolders(),
      peers.read(),
    ]);
    const others = (reports?.others ?? []).map(({ report }) => report.counts);
    const { uptimeMs, ids, inFlight, routes } = sumCounts([readCounts(metrics, lifecycle), ...others]);
    // Read after the probes, because the lease can be lost while they wait.
    const { resources } = lifecycle;
    const lease = resources?.lease?.status();
    const status = serviceStatus(lifecycle, lease === undefined || lease.state === "held", {
      isBackendWorking: backend.state === "ok",
      isPoolBackendWorking: poolBackend === undefined || poolBackend.state === "ok",
      isGeneratorWorking: generatorProbe.state === "ok",
      poolStates: poolStates ?? typeNames.map((type) => ({ type, status: undefined })),
    });
    const stateOfPool = (type: string) => poolStates?.find((state) => state.type === type);
    return {
      name: settings.name,
      version: VERSION,
      status,
      startErrorCode: resources ? null : codeOf(lifecycle.startError),
      time: new Date(),
      uptimeMs: Math.round(uptimeMs),
      layout: this.#layout,
      node: resources
        ? {
            datacenterId: resources.generator.datacenterId,
            machineId: resources.generator.machineId,
            isLeased: lease !== undefined,
          }
        : null,
      generator: generatorProbe,
      lease: lease ? reportLease(lease) : null,
      nodes: holders?.report ? reportNodes(holders.report, lease?.node) : null,
      stores: this.#reportStores(backend, poolBackend, holders),
      pools: Object.values(types).map(({ name, length }) => reportPool(name, length, stateOfPool(name))),
      processes: 1 + others.length,
      ids,
      requests: {
        inFlight,
        bucketBoundsMs: BUCKET_BOUNDS.map((seconds) => seconds * 1000),
        routes,
      },
      rateLimit: rateLimit
        ? {
            limit: rateLimit.limiter.quota,
            windowMs: rateLimit.limiter.windowMs,
            onStoreError: rateLimit.onStoreError,
          }
        : null,
      apiKeys: apiKeys.length,
    };
  }

  /** Reads the leases of the service's name. Resolves to `undefined` before a node is leased, and if it was given. */
  async #readHolders(): Promise<HoldersReading | undefined> {
    if (!this.#deps.lifecycle.resources?.lease) return undefined;
    try {
      const report = await withTimeout(this.#holders.read(), MAX_WAIT_MS);
      return { state: report ? "ok" : "slow", errorCode: null, report };
    } catch (error) {
      return { state: "failing", errorCode: codeOf(error), report: undefined };
    }
  }

  /** Reports each store once, with its uses. */
  #reportStores(backendProbe: Probe, poolProbe: Probe | undefined, holders: HoldersReading | undefined) {
    const { backend, poolBackend, leaseBackend, types, rateLimit, node } = this.#deps.settings;
    const leasesOn = node.machineId === undefined ? leaseBackend : undefined;
    const poolsOn = Object.keys(types).length > 0 ? poolBackend : undefined;
    const stores: ({ kind: StoreKind; uses: string[] } & Probe)[] = [];
    const add = (store: Backend, { state, errorCode }: Probe, uses: string[]) => {
      if (leasesOn === store) uses.push("leases");
      if (poolsOn === store) uses.push("pools");
      stores.push({ kind: kindOf(store), uses, state, errorCode });
    };
    add(backend, backendProbe, rateLimit ? ["counters", "limits"] : ["counters"]);
    if (poolProbe) add(poolBackend, poolProbe, []);
    if (holders && leaseBackend !== backend && leaseBackend !== poolBackend) add(leaseBackend, holders, []);
    return stores;
  }
}
