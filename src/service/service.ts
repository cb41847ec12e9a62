// createService: the HTTP service as a fetch handler.

import { App } from "./app.ts";
import { APP } from "./appOf.ts";
import { fromFetchRequest, toFetchResponse } from "./fetch.ts";
import type { Service, ServiceContext, ServiceOptions } from "./options.ts";
import { resolveServiceSettings } from "./settings.ts";

/**
 * Creates an HTTP service that issues IDs: a function from a `Request` to a `Response`, for Node (see {@link listen}),
 * Deno, Bun, Workers, Hono and every other fetch runtime. docs/service.md lists its routes.
 *
 * The service works in the background: timers renew the lease and refill the pools, so they must outlive a request. In a
 * Worker they do not; in a Durable Object they do.
 *
 * @param options `backend`, and options with defaults: see {@link ServiceOptions}
 * @returns a function that answers requests, with `start`, `drain` and `stop`
 * @throws {@link ArgumentError} if an option is missing, invalid or unknown, or `types` are given and their store is a
 *   Redis
 *
 * @example
 * ```ts
 * import { memory } from "bitflake/backend";
 * import { createService } from "bitflake/service";
 *
 * const service = createService({ backend: memory(), types: { farmer: { length: 10 } } });
 * const response = await service(new Request("http://localhost/generate_counter_id?count=3"));
 * await response.json(); // => { ids: [ '1', '2', '3' ] }
 * await service.stop();
 * ```
 */
export function createService(options: ServiceOptions): Service {
  const app = new App(resolveServiceSettings(options));
  const handle = async (request: Request, context: ServiceContext = {}) => {
    const { address }: { address?: unknown } = Object(context);
    // Some runtimes pass another second argument: Bun its server, whose `address` is an object.
    const knownAddress = typeof address === "string" ? address : undefined;
    return toFetchResponse(await app.handle(fromFetchRequest(request, knownAddress)), request.method);
  };
  const service = Object.assign(handle, {
    start: async () => {
      await app.lifecycle.start();
    },
    drain: (ms: number) => app.lifecycle.drain(ms),
    stop: () => app.lifecycle.stop(),
  });
  Object.defineProperty(service, APP, { value: app });
  return service;
}
