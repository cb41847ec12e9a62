// The workers as processes of node:cluster, whose primary process accepts the connections and hands them out in turn.

import { UsageError } from "../../errors.ts";
import { type ClusterWorker, type NodeModules, nodeModule } from "../../io.ts";
import type { ServeContext } from "../stores.ts";
import { type ClusterProcess, handOverConnectionsOf } from "./handOver.ts";
import type { FromWorker } from "./messages.ts";
import type { WorkerProcess } from "./supervisor.ts";

export type Cluster = NodeModules["node:cluster"]["default"];

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

function asWorkerProcess(worker: ClusterWorker): WorkerProcess {
  const process = worker.process as ClusterProcess & { kill(signal: "SIGKILL"): unknown };
  handOverConnectionsOf(process);
  return {
    send(message) {
      // Its errors say that the process has ended, which its exit says too.
      if (worker.isConnected()) worker.send(message, () => {});
    },
    onMessage: (listener) => worker.on("message", (message) => listener(message as FromWorker)),
    onExit: (listener) => worker.on("exit", (code, signal) => listener({ code, signal })),
    kill: () => process.kill("SIGKILL"),
  };
}

/** Returns a function that starts a worker: the same command line again, with the same variables. */
export function forkWith(cluster: Cluster): () => WorkerProcess {
  // JSON has no infinity, which is a bound of histograms.
  cluster.setupPrimary({ serialization: "advanced" });
  return () => asWorkerProcess(cluster.fork());
}
