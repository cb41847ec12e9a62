// Port of counters: what they ask of a store.

import type { CallOptions } from "../backend/call.ts";
import type { Reservation, ReservationResult } from "./rule.ts";

/** The operation's name in errors. */
export const RESERVE = "counter: reserve";

/** One counter in a store. */
export interface CounterPort {
  /** Reserves values, in one atomic step. */
  reserve(request: Reservation, options?: CallOptions): Promise<ReservationResult>;
}
