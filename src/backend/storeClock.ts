// Clock of a store: whether times are its own, or those of the processes because it has no clock.

import type { Backend, Cell, CellPort } from "./ports.ts";

/** Whose time counts: the store's, or that of each process because the store has no clock. */
export type StoreClock = "store" | "client";

/** The ports whose cells have the store's time. */
const withClock = /* @__PURE__ */ new WeakSet<Backend>();

/** Notes whether a cell has the store's time. */
export function noteClock(port: CellPort, { nowMs }: Cell): void {
  if (nowMs !== undefined) withClock.add(port);
}

/** Returns whose time counts. A store of cells must have answered before, because only its answers show whether it has a clock. */
export function clockOf(backend: Backend): StoreClock {
  return !("swap" in backend) || withClock.has(backend) ? "store" : "client";
}
