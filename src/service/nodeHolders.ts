// The holders of the nodes of a service's leases, read from the store at most every two seconds.

import { inspect, type NamespaceReport } from "../lease/index.ts";
import type { ServiceSettings } from "./settings.ts";

/** How long a report is valid, in milliseconds: a read returns every node that was ever leased. */
const FRESH_MS = 2000;

/** Reads who holds which node. */
export class NodeHolders {
  readonly #settings: Pick<ServiceSettings, "leaseBackend" | "name">;
  #reading: Promise<NamespaceReport> | undefined;
  #read: Promise<NamespaceReport> | undefined;
  #readAtMs = -Infinity;

  constructor(settings: Pick<ServiceSettings, "leaseBackend" | "name">) {
    this.#settings = settings;
  }

  /**
   * Resolves to the report of the store, which may be as old as {@link FRESH_MS}.
   *
   * @throws {@link BackendError} if the store is down, too slow, or gives an unexpected response
   */
  read(): Promise<NamespaceReport> {
    if (this.#reading) return this.#reading;
    if (this.#read && performance.now() - this.#readAtMs < FRESH_MS) return this.#read;
    const { leaseBackend, name } = this.#settings;
    const reading = inspect(leaseBackend, name).finally(() => {
      this.#readAtMs = performance.now();
      this.#reading = undefined;
    });
    // A caller that gave up before the rejection must not leave it unhandled.
    reading.catch(() => {});
    this.#reading = reading;
    this.#read = reading;
    return reading;
  }
}
