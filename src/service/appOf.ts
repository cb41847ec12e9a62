// The app of a service, which is behind its function.

import { ArgumentError } from "../internal.ts";
import type { App } from "./app.ts";
import type { Service } from "./options.ts";

/** The property of a service that holds its app. Registered, because a program may load the package as ESM and CommonJS; the number counts the versions of `ServiceApp`. */
export const APP: unique symbol = /* @__PURE__ */ Symbol.for("bitflake.service.3");

/** The part of an app that adapters without fetch's `Request`, and processes that share a port, use. */
type ServiceApp = Pick<App, "handle" | "recordMalformed" | "joinPeers" | "report">;

/**
 * Returns the app of a service.
 *
 * @throws {@link ArgumentError} if the service was not made by `createService`
 */
export function appOf(service: Service): ServiceApp {
  const { [APP]: app } = Object(service) as { readonly [APP]?: ServiceApp };
  if (app) return app;
  throw new ArgumentError("service", "made by createService", service);
}
