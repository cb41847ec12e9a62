// Subscribes tests to the channels of the package.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { onTestFinished } from "vitest";
import type { BitflakeEventName, BitflakeEvents } from "../../src/events/index.ts";

/** All names. The type makes it an error to leave one out. */
export const NAMES: readonly BitflakeEventName[] = Object.keys({
  "bitflake:lease:acquired": true,
  "bitflake:lease:renewed": true,
  "bitflake:lease:lost": true,
  "bitflake:clock:backwards": true,
  "bitflake:sequence:exhausted": true,
  "bitflake:pool:low": true,
  "bitflake:idempotency:hit": true,
  "bitflake:idempotency:miss": true,
  "bitflake:idempotency:conflict": true,
  "bitflake:ratelimit:denied": true,
} satisfies Record<BitflakeEventName, true>) as BitflakeEventName[];

/** An event: its name without the prefix, and its message. */
export type Recorded = readonly [name: string, message: unknown];

/** Subscribes to a channel until the end of the test. */
export function listen<Name extends BitflakeEventName>(
  name: Name,
  listener: (message: BitflakeEvents[Name]) => void,
): void {
  const onMessage = (message: unknown) => listener(message as BitflakeEvents[Name]);
  subscribe(name, onMessage);
  onTestFinished(() => void unsubscribe(name, onMessage));
}

/** Records all events until the end of the test. */
export function recordEvents(): Recorded[] {
  const events: Recorded[] = [];
  for (const name of NAMES) listen(name, (message) => events.push([name.replace("bitflake:", ""), message]));
  return events;
}

/** Returns how many events there were of each name, after those that are on their way. */
export async function countsOf(events: readonly Recorded[]): Promise<Record<string, number>> {
  await delivered();
  const counts: Record<string, number> = {};
  for (const [name] of events) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Resolves when the events so far have been delivered. */
export const delivered = (): Promise<void> => Promise.resolve();
