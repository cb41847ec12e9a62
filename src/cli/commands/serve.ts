// bitflake serve: serves IDs over HTTP until a stop signal.

import { makeGenerator, type SnowflakeGenerator } from "../../internal.ts";
import { appOf } from "../../service/appOf.ts";
import type * as ServiceModule from "../../service/index.ts";
import type { Service, ServiceOptions } from "../../service/index.ts";
import { isLoopback } from "../../service/requestGuard.ts";
import { runtimeName } from "../../service/runtimeName.ts";
import type { Command } from "../command.ts";
import { defineCommand } from "../defineCommand.ts";
import { CommandError, UsageError } from "../errors.ts";
import { generatorOptions, holderOf, readTypes, serviceOptions } from "../serve/serviceOptions.ts";
import { SERVE_SETTINGS } from "../serve/settings.ts";
import { createStartReport } from "../serve/startReport.ts";
import { openStores, type ServeContext, type ServeStores } from "../serve/stores.ts";
import { followTlsFiles, readTls } from "../serve/tls.ts";
import { warnAboutMemory, warnAboutPods } from "../serve/warnings.ts";
import { type Cluster, isMarkedAsWorker, loadCluster } from "../serve/workers/cluster.ts";
import { linkToSupervisor } from "../serve/workers/link.ts";
import { superviseWorkers } from "../serve/workers/supervise.ts";

/** Loads the service, which no other command uses. */
function loadService(): Promise<typeof ServiceModule> {
  return import("../../service/index.ts");
}

/**
 * Asserts that a service that other machines reach has API keys, or is public on purpose.
 *
 * @throws {@link UsageError} if not
 */
function assertProtected({ values, sources }: ServeContext): void {
  const { host, apiKeys, public: isPublic } = values;
  if (apiKeys || isPublic || isLoopback(host)) return;
  throw new UsageError(
    `${sources["host"]} ${host} can be reached from other machines: set BITFLAKE_API_KEYS, or pass --public to accept every client`,
  );
}

/** How the service runs: in this process alone, or as one of the workers. */
interface Host {
  /** Aborted when the service must stop. */
  readonly signal: AbortSignal;
  /** Whether others serve on the same port when it stops. */
  readonly isReplaced: () => boolean;
  /** Called when the service listens. */
  reportListening(startReport: string): Promise<void>;
}

/** How long idle connections of a replaced worker stay open at least, unless they would be closed sooner anyway, in milliseconds. */
const MIN_IDLE_MS = 5000;

/**
 * Serves until the stop signal.
 *
 * @param onStartReported called when the start report is complete, before the service listens
 */
async function serveUntilStopped(
  service: Service,
  context: ServeContext,
  stores: ServeStores,
  generator: SnowflakeGenerator,
  options: ServiceOptions,
  host: Host,
  onStartReported: () => void,
): Promise<void> {
  const { values } = context;
  const tls = await readTls(context);
  const { signal } = host;
  if (signal.aborted) return;
  // A stop signal during the start ends its wait for a node.
  const giveUp = () => void service.stop();
  signal.addEventListener("abort", giveUp);
  try {
    await service.start();
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
  if (signal.aborted) return;
  const startReport = await createStartReport(service, context, stores, generator, options);
  onStartReported();
  const { listen } = await loadService();
  const { host: address, port, allowedHosts, keepAliveTimeoutMs, headersTimeoutMs } = values;
  const { requestTimeoutMs, maxConnections, lameDuckMs } = values;
  const limits = { keepAliveTimeoutMs, headersTimeoutMs, requestTimeoutMs, maxConnections };
  const server = await listen(service, { host: address, port, allowedHosts, tls, ...limits }).catch(
    (cause) => {
      if (cause?.code !== "EADDRINUSE") throw cause;
      throw new CommandError("ERR_LISTEN", `${address}:${port} is already in use; choose another --port`, {
        cause,
      });
    },
  );
  const stopFollowing = tls && followTlsFiles(context, tls, server);
  try {
    await host.reportListening(startReport(server.url));
    if (!signal.aborted) await new Promise((stop) => signal.addEventListener("abort", stop, { once: true }));
    // The port stays open for clients of a replaced worker, so that its health does not change for them.
    if (!host.isReplaced()) await service.drain(lameDuckMs);
  } finally {
    stopFollowing?.();
    const idleMs = Math.min(keepAliveTimeoutMs ?? Infinity, Math.max(lameDuckMs, MIN_IDLE_MS));
    await server.close({ idleMs: host.isReplaced() ? idleMs : 0 });
  }
}

/**
 * Serves with these settings until it must stop.
 *
 * @param createHost called with the service before it starts
 * @param warns whether it warns about the settings
 */
async function serve(
  context: ServeContext,
  createHost: (service: Service) => Host,
  warns = true,
): Promise<number> {
  assertProtected(context);
  const types = await readTypes(context);
  // This generator is only used for its layout: no ID is generated with machine 0.
  const generator = makeGenerator(generatorOptions(context), { machineId: 0 });
  const stores = await openStores(context, types !== undefined, generator);
  try {
    if (warns) {
      await warnAboutMemory(context, stores, types !== undefined);
      await warnAboutPods(context, stores);
    }
    const { createService } = await loadService();
    let isStartReported = false;
    const options = serviceOptions(context, types, await holderOf(context), stores, () => isStartReported);
    const service = createService(options);
    try {
      const host = createHost(service);
      await serveUntilStopped(service, context, stores, generator, options, host, () => {
        isStartReported = true;
      });
    } finally {
      await service.stop();
    }
    return 0;
  } finally {
    await stores.close();
  }
}

/** Serves as one of the workers of a supervisor. */
async function serveAsWorker(context: ServeContext, { worker }: Cluster): Promise<number> {
  const { values, sources } = context;
  if (values.workers === undefined) {
    throw new UsageError(
      `${sources["workers"]} was removed: restart the first process to serve without workers`,
    );
  }
  const link = await linkToSupervisor(context.io);
  try {
    return await serve(
      context,
      (service) => {
        const app = appOf(service);
        app.joinPeers(link.readPeers);
        link.answerWith(() => app.report());
        return link;
      },
      // One of them warns for all.
      worker?.id === 1,
    );
  } finally {
    link.release();
  }
}

export const serveCommand: Command = defineCommand({
  name: "serve",
  summary: "Serves IDs over HTTP: Snowflakes, counters, pools.",
  notes: [
    "Without --store it keeps its state in bitflake.db: in the current folder if that file exists, otherwise in a folder of this user, which all services of the user share. On a runtime without SQLite, everything except the node is kept in memory. A flag overrides a variable, a variable the configuration file, and the file the default. The variables FLAKEID_..., which other commands read, have no effect.",
    "SIGINT, SIGTERM or SIGHUP stops it with exit code 0: for --lame-duck-ms the health route reports stopping while requests are served; then the running requests are answered and the node is released. A second signal ends the process at once.",
    "With --workers this process starts the others and replaces those that end. SIGHUP, except from a terminal, replaces them one after another, and the new ones read the configuration and the files that it names again: no request is refused. If a new one does not start, those that run serve on. The workers share counters, pools and limits through the store, which therefore must not be memory:, and each needs a node to lease, so --machine-id is refused.",
  ],
  flags: SERVE_SETTINGS,
  examples: [
    { run: "bitflake serve" },
    { run: "bitflake serve --store $REDIS_URL --port 8080 --log json" },
    { run: "bitflake serve --workers auto" },
    { run: "bitflake serve --config bitflake.json" },
  ],
  async run(context) {
    const { values, io } = context;
    if (values.workers === undefined && !isMarkedAsWorker(io)) {
      return serve(context, () => ({
        signal: io.stopSignal(),
        isReplaced: () => false,
        // A closed or full output must not end the service.
        reportListening: async (startReport) => void io.stdout.write(`${startReport}\n`).catch(() => {}),
      }));
    }
    const cluster = await loadCluster(context, runtimeName());
    return cluster.isPrimary ? superviseWorkers(context, cluster) : serveAsWorker(context, cluster);
  },
});
