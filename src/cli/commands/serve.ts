// bitflake serve: serves IDs over HTTP until a stop signal.

import { makeGenerator, type SnowflakeGenerator } from "../../internal.ts";
import type * as ServiceModule from "../../service/index.ts";
import type { Service, ServiceOptions } from "../../service/index.ts";
import { isLoopback } from "../../service/requestGuard.ts";
import type { Command } from "../command.ts";
import { defineCommand } from "../defineCommand.ts";
import { CommandError, UsageError } from "../errors.ts";
import { generatorOptions, holderOf, readTypes, serviceOptions } from "../serve/serviceOptions.ts";
import { SERVE_SETTINGS } from "../serve/settings.ts";
import { createStartReport } from "../serve/startReport.ts";
import { openStores, type ServeContext, type ServeStores } from "../serve/stores.ts";
import { followTlsFiles, readTls } from "../serve/tls.ts";
import { warnAboutMemory, warnAboutPods } from "../serve/warnings.ts";

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
  onStartReported: () => void,
): Promise<void> {
  const { values, io } = context;
  const tls = await readTls(context);
  const signal = io.stopSignal();
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
  const { host, port, allowedHosts, keepAliveTimeoutMs, headersTimeoutMs } = values;
  const { requestTimeoutMs, maxConnections, lameDuckMs } = values;
  const limits = { keepAliveTimeoutMs, headersTimeoutMs, requestTimeoutMs, maxConnections };
  const server = await listen(service, { host, port, allowedHosts, tls, ...limits }).catch((cause) => {
    if (cause?.code !== "EADDRINUSE") throw cause;
    throw new CommandError("ERR_LISTEN", `${host}:${port} is already in use; choose another --port`, {
      cause,
    });
  });
  const stopFollowing = tls && followTlsFiles(context, tls, server);
  try {
    await io.stdout.write(`${startReport(server.url)}\n`);
    if (!signal.aborted) await new Promise((stop) => signal.addEventListener("abort", stop, { once: true }));
    await service.drain(lameDuckMs);
  } finally {
    stopFollowing?.();
    await server.close();
  }
}

export const serveCommand: Command = defineCommand({
  name: "serve",
  summary: "Serves IDs over HTTP: Snowflakes, counters, pools.",
  notes: [
    "Without --store it keeps its state in bitflake.db: in the current folder if that file exists, otherwise in a folder of this user, which all services of the user share. On a runtime without SQLite, everything except the node is kept in memory. A flag overrides a variable, a variable the configuration file, and the file the default. The variables FLAKEID_..., which other commands read, have no effect.",
    "SIGINT, SIGTERM or SIGHUP stops it with exit code 0: for --lame-duck-ms the health route reports stopping while requests are served; then the running requests are answered and the node is released. A second signal ends the process at once.",
  ],
  flags: SERVE_SETTINGS,
  examples: [
    { run: "bitflake serve" },
    { run: "bitflake serve --store $REDIS_URL --port 8080 --log json" },
    { run: "bitflake serve --config bitflake.json" },
  ],
  async run(context) {
    assertProtected(context);
    const types = await readTypes(context);
    // This generator is only used for its layout: no ID is generated with machine 0.
    const generator = makeGenerator(generatorOptions(context), { machineId: 0 });
    const stores = await openStores(context, types !== undefined, generator);
    try {
      await warnAboutMemory(context, stores, types !== undefined);
      await warnAboutPods(context, stores);
      const { createService } = await loadService();
      let isStartReported = false;
      const options = serviceOptions(context, types, await holderOf(context), stores, () => isStartReported);
      const service = createService(options);
      try {
        await serveUntilStopped(service, context, stores, generator, options, () => {
          isStartReported = true;
        });
      } finally {
        await service.stop();
      }
      return 0;
    } finally {
      await stores.close();
    }
  },
});
