// The primary process of `bitflake serve --workers`: it serves nothing itself.

import { MAX_TIMER_MS } from "../../../backend/call.ts";
import { createLog, resolveLogFormat } from "../log.ts";
import type { ServeContext } from "../stores.ts";
import { type Cluster, forkWith } from "./cluster.ts";
import { Supervisor } from "./supervisor.ts";
import { workerCount } from "./workerCount.ts";

/** How much longer than the lame-duck time a worker may take to end, in milliseconds: longer than clients that stall may. */
const STOP_TIMEOUT_MS = 45_000;

/**
 * Runs the workers until a stop signal.
 *
 * @returns the exit code
 */
export async function superviseWorkers(context: ServeContext, cluster: Cluster): Promise<number> {
  const { values, isJson, io } = context;
  const { lameDuckMs, log } = values;
  const write = createLog(resolveLogFormat(log, isJson, io), io);
  let address = {};
  let supervisor: Supervisor | undefined;
  // A terminal that closes sends a hangup too, and a service without a terminal that goes on would hold the port unseen.
  const hasTerminal = io.stdin.isTTY || io.stdout.isTTY || io.stderr.isTTY;
  // First of all: without a listener, a hangup would end the process. Before there are workers, there is none to replace.
  const signal = io.stopSignal(hasTerminal ? undefined : () => supervisor?.restart());
  supervisor = new Supervisor({
    count: await workerCount(context),
    stopTimeoutMs: Math.min(lameDuckMs + STOP_TIMEOUT_MS, MAX_TIMER_MS),
    fork: forkWith(cluster, () => address),
    onListening(startReport) {
      // Later workers read the configuration file again, and still listen where the others do.
      address = { BITFLAKE_HOST: values.host, BITFLAKE_PORT: String(values.port) };
      // A closed output must not fail the service.
      io.stdout.write(`${startReport}\n`).catch(() => {});
    },
    onEvent: (event) => write?.({ time: new Date(io.now()).toISOString(), ...event }),
    nowMs: () => performance.now(),
  });
  return supervisor.run(signal);
}
