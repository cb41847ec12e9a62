// The workers as processes of node:cluster, whose primary process accepts the connections and hands them out in turn.

import { describeError, UsageError } from "../../errors.ts";
import { type ClusterWorker, type Io, type NodeModules, nodeModule } from "../../io.ts";
import type { ServeContext } from "../stores.ts";
import { type ClusterProcess, handOverConnectionsOf } from "./handOver.ts";
import type { FromWorker } from "./messages.ts";
import type { WorkerProcess } from "./supervisor.ts";

export type Cluster = NodeModules["node:cluster"]["default"];

/** The variable that marks a worker, because its settings may no longer say that there are workers. */
const WORKER_MARK = "SUPERVISED_BY_BITFLAKE";

/** Returns whether this process was started as a worker. */
export function isMarkedAsWorker({ env }: Io): boolean {
  return env[WORKER_MARK] !== undefined;
}

/**
 * Loads node:cluster.
 *
 * @throws {@link UsageError} on runtimes that only imitate it
 */
export async function loadCluster({ io, sources }: ServeContext, runtime: string): Promise<Cluster> {
  if (!runtime.startsWith("node ")) {
    throw new UsageError(`${sources["workers"]} requires Node, and this is ${runtime}`);
  }
  return (await nodeModule(io, "node:cluster")).default;
}

/** Returns a process that has failed to start. */
function failedProcess(error: unknown): WorkerProcess {
  return {
    send: () => {},
    onMessage: () => {},
    onExit: (listener) =>
      queueMicrotask(() => listener({ code: null, signal: null, error: describeError(error).message })),
    kill: () => {},
  };
}

/** @param listening the workers that listen */
function asWorkerProcess(worker: ClusterWorker, listening: Set<ClusterWorker>): WorkerProcess {
  const process = worker.process as ClusterProcess & {
    readonly pid?: number;
    kill(signal: "SIGKILL"): unknown;
  };
  worker.on("listening", () => listening.add(worker));
  worker.on("exit", () => listening.delete(worker));
  handOverConnectionsOf(process, () => listening.size > 0);
  return {
    send(message) {
      // It accepts no connection any more, so none can be handed over to it.
      if (message.kind === "retire" || message.kind === "stop") listening.delete(worker);
      // Its errors say that the process has ended, which its exit says too.
      if (worker.isConnected()) worker.send(message, () => {});
    },
    onMessage: (listener) => worker.on("message", (message) => listener(message as FromWorker)),
    onExit(listener) {
      worker.on("exit", (code, signal) => listener({ code, signal }));
      // A process that could not be started has no exit. Other errors are those of messages.
      worker.on("error", (error) => {
        if (process.pid === undefined) listener({ code: null, signal: null, error: error.message });
      });
    },
    kill: () => process.kill("SIGKILL"),
  };
}

/**
 * Returns a function that starts a worker: the same command line again.
 *
 * @param variables returns the variables that it gets beside those of this process
 */
export function forkWith(
  cluster: Cluster,
  variables: () => Readonly<Record<string, string>>,
): () => WorkerProcess {
  // The default of Windows, and NODE_CLUSTER_SCHED_POLICY=none, let the workers compete for connections.
  cluster.schedulingPolicy = cluster.SCHED_RR;
  // JSON has no infinity, which is a bound of histograms.
  cluster.setupPrimary({ serialization: "advanced" });
  const listening = new Set<ClusterWorker>();
  return () => {
    try {
      return asWorkerProcess(cluster.fork({ ...variables(), [WORKER_MARK]: "1" }), listening);
    } catch (error) {
      return failedProcess(error);
    }
  };
}
