// createService: an HTTP service over everything else, as one function.

import { ArgumentError } from "../internal.ts";
import { App } from "./app.ts";
import { fromFetchRequest, toFetchResponse } from "./fetch.ts";
import type { Service, ServiceContext, ServiceOptions } from "./options.ts";
import { resolveServiceSettings } from "./settings.ts";

/** Where a service has what answers behind it: known to every copy of the package, for one may be ESM and one CommonJS. */
const APP = /* @__PURE__ */ Symbol.for("bitflake.service.2");

/** What answers behind a service. */
type ServiceApp = Pick<App, "handle" | "recordMalformed">;

/** What answers behind a service, for adapters that have no Request. */
export function appOf(service: Service): ServiceApp {
  const { [APP]: house } = Object(service) as { readonly [APP]?: ServiceApp };
  if (house) return house;
  throw new ArgumentError("service", "made by createService", service);
}

/**
 * Makes an HTTP service that gives out IDs: a function of a `Request`, for Node (see {@link listen}), Deno, Bun, Workers,
 * Hono and whatever else speaks fetch. docs/service.md has its routes.
 *
 * It works in the background: leases are renewed and pools refilled by timers that must outlive a request. A Worker's do
 * not, but those of a Durable Object do.
 *
 * @param options `backend`, and what there is a default for: see {@link ServiceOptions}
 * @returns a function that answers requests, with `start`, `drain` and `stop`
 * @throws {@link ArgumentError} if an option is missing, wrong or unknown, or `types` are given and their store is a
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
  const house = new App(resolveServiceSettings(options));
  const answer = async (request: Request, context: ServiceContext = {}) => {
    const { address }: { address?: unknown } = Object(context);
    // Some runtimes hand over something else in that place: Bun its server, whose address is its own.
    const known = typeof address === "string" ? address : undefined;
    return toFetchResponse(await house.handle(fromFetchRequest(request, known)), request.method);
  };
  const service = Object.assign(answer, {
    start: async () => {
      await house.lifecycle.start();
    },
    drain: (ms: number) => house.lifecycle.drain(ms),
    stop: () => house.lifecycle.stop(),
  });
  Object.defineProperty(service, APP, { value: house });
  return service;
}
