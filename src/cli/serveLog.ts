// The log of the service: a line for each request.

import type { ServiceLogEntry } from "../service/index.ts";
import { complaintOf } from "./failure.ts";
import type { World } from "./world.ts";

/** A line for programs. */
function jsonLine({ error, ...entry }: ServiceLogEntry): string {
  return JSON.stringify(error === undefined ? entry : { ...entry, error: complaintOf(error).message });
}

/** A line for people. */
function textLine({ time, method, route, status, durationMs, client, code, error }: ServiceLogEntry): string {
  const parts = [time, method, route || "-", status, `${durationMs.toFixed(1)} ms`, client || "-", code];
  const line = parts.filter((part) => part !== undefined).join(" ");
  return error === undefined ? line : `${line}: ${complaintOf(error).message}`;
}

/** What writes the log; `undefined` if nobody wants one. */
export function logOf(
  form: "json" | "text" | "none",
  world: World,
): ((entry: ServiceLogEntry) => void) | undefined {
  if (form === "none") return undefined;
  const lineOf = form === "json" ? jsonLine : textLine;
  // Nobody waits for the log, and nothing fails with it.
  return (entry) => void world.stderr.write(`${lineOf(entry)}\n`).catch(() => {});
}
