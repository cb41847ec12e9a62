// Channels: the events of the package on node:diagnostics_channel, where the runtime has it.

import { globalState } from "../internal.ts";
import type { BitflakeEventName, BitflakeEvents } from "./messages.ts";

/** The part of a channel that is used here. */
interface Channel {
  readonly hasSubscribers: boolean;
  publish(message: object): void;
}

/** The part of the globals that is used here. */
interface Runtime {
  readonly process?: {
    getBuiltinModule?(name: "node:diagnostics_channel"): { channel(name: string): Channel } | undefined;
  };
}

/** The channels that were looked up. A lookup takes Node a microsecond. */
const channels: Partial<Record<BitflakeEventName, Channel>> = {};

/** The state of this copy of the file alone. */
const ownDelivery = { isRunning: false };

/** Returns whether subscribers run now. Global state, because every entry of the package is built with its own copy of this file. */
function delivery(): { isRunning: boolean } {
  try {
    return globalState("bitflake.delivery.v1", () => ({ isRunning: false }));
  } catch {
    // Frozen globals must not fail the call that has something to publish.
    return ownDelivery;
  }
}

/** Returns a channel, or `undefined` if the runtime has none. */
function channelOf(name: BitflakeEventName): Channel | undefined {
  try {
    // When it is needed, and not by an import, because browsers do not have the module.
    const { process } = globalThis as unknown as Runtime;
    channels[name] ??= process?.getBuiltinModule?.("node:diagnostics_channel")?.channel(name) as Channel;
    return channels[name];
  } catch {
    // Unreadable globals must not keep the package from its work.
    return undefined;
  }
}

/**
 * Publishes an event to the subscribers of its channel. Without a subscriber it does nothing.
 *
 * Subscribers run in a microtask, so never inside of a call of the package, whose state they could change by calls of their
 * own. An event that a subscriber causes before it returns is not published, because that could go on for ever.
 *
 * @param createMessage creates the message; called at once, and only if there is a subscriber
 */
export function publish<Name extends BitflakeEventName>(
  name: Name,
  createMessage: () => BitflakeEvents[Name],
): void {
  const channel = channelOf(name);
  if (!channel?.hasSubscribers || delivery().isRunning) return;
  const message = createMessage();
  queueMicrotask(() => {
    const state = delivery();
    state.isRunning = true;
    try {
      channel.publish(message);
    } finally {
      state.isRunning = false;
    }
  });
}

/** Returns whether an event has a subscriber. */
export function hasSubscribers(name: BitflakeEventName): boolean {
  return channelOf(name)?.hasSubscribers === true;
}
