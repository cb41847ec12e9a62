// Whether a store answers.

import { callStore } from "./call.ts";
import type { Backend } from "./ports.ts";

/**
 * Asks a store for nothing but an answer.
 *
 * @throws {@link BackendError} if there is none
 */
export async function ping(backend: Backend, maxWaitMs: number): Promise<void> {
  const call = async () => {
    if ("eval" in backend) return backend.eval("return 'here'", [], []);
    if ("query" in backend) return backend.query("SELECT 1 AS here", []);
    return "here";
  };
  await callStore(backend, "ping", call, () => true, { maxWaitMs });
}
