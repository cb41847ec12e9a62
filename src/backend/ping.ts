// ping: checks that a store answers.

import { callStore } from "./call.ts";
import { seeCell } from "./cells.ts";
import type { Backend } from "./ports.ts";

/**
 * Checks that a store answers.
 *
 * @throws {@link BackendError} if it does not
 */
export async function ping(backend: Backend, maxWaitMs: number): Promise<void> {
  const call = async () => {
    if ("eval" in backend) return backend.eval("return 'here'", [], []);
    if ("query" in backend) return backend.query("SELECT 1 AS here", []);
    if ("swap" in backend) return seeCell(backend, "ping", `${backend.prefix ?? "bitflake"}:ping`);
    return "here";
  };
  await callStore(backend, "ping", call, () => true, { maxWaitMs });
}
