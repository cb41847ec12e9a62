// Adapter for NATS: a bucket of JetStream's key-value store, by @nats-io/kv or nats.

import { resolvePortSettings } from "../portSettings.ts";
import type { CellPort, ListedCell, PortSettings } from "../ports.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { cellOfText, makeText } from "./storedText.ts";

/** An entry of a bucket: the parts that the adapter reads. */
export interface NatsKvEntry {
  /** The key. */
  readonly key: string;
  /** `"PUT"` unless the key was deleted. */
  readonly operation: string;
  /** The number of the write in the bucket. */
  readonly revision: number;
  /** How many entries of a list follow this one. */
  readonly delta?: number;
  /** Returns the value. */
  string(): string;
}

/** A bucket of `@nats-io/kv` or `nats`: the methods that the adapter calls. */
export interface NatsKv {
  /** Reads an entry. */
  get(key: string): Promise<NatsKvEntry | null>;
  /** Writes an entry if its revision is `previousSeq`. */
  put(key: string, value: string, options: { previousSeq: number }): Promise<number>;
  /** Reads the entries of a filter. */
  history(options: { key: string }): Promise<AsyncIterable<NatsKvEntry | undefined>>;
  /** Reads the settings of the bucket. */
  status(): Promise<{
    /** How long the bucket keeps a value, in milliseconds; 0 means for ever. */
    readonly ttl: number;
    /** The stream of the bucket. */
    readonly streamInfo: {
      /** The state of the stream. */
      readonly state: {
        /** The number of its last write. */
        readonly last_seq: number;
      };
    };
  }>;
}

/** Returns a part of a key: as it is, or in base64 after a `=` if it has characters that NATS does not allow. */
function encodePart(part: string): string {
  if (/^[-\w]+$/.test(part)) return part;
  return `=${encodeBase64(part).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`;
}

function decodePart(part: string): string {
  if (!part.startsWith("=")) return part;
  return decodeBase64(part.slice(1).replaceAll("-", "+").replaceAll("_", "/"));
}

const encodeKey = (key: string) => key.split(":").map(encodePart).join(".");
const decodeKey = (key: string) => key.split(".").map(decodePart).join(":");

/** Returns the filter of the keys that begin with a prefix, and of some more if the prefix does not end with a colon. */
const filterOf = (prefix: string) => [...prefix.split(":").slice(0, -1).map(encodePart), ">"].join(".");

/** How many times a list is read while others write to the keys that it has. */
const MAX_LISTS = 3;

/**
 * Creates a port from a key-value bucket of NATS JetStream 2.9 or later, by `@nats-io/kv` 3 or `nats` 2.
 *
 * NATS exposes no clock, so times are those of the processes. A swap is a read and a write, because revisions come
 * back with a backup. An expired value counts as absent, but stays until it is overwritten, or until the bucket's `ttl`. A
 * value that has to be kept for longer than that `ttl` is refused.
 *
 * @param kv your bucket. With several replicas it needs `allow_direct: false`, because others than the leader may answer
 *   with an old value
 * @param options `prefix` of the keys, default `"bitflake"`; `timeoutMs` for an answer, default 5000
 * @throws {@link ArgumentError} if the client or an option is invalid
 *
 * @example
 * ```ts nats
 * import { Kvm } from "@nats-io/kv";
 * import { connect } from "@nats-io/transport-node";
 * import { fromNatsKv } from "bitflake/backend";
 * import { Counter } from "bitflake/counter";
 *
 * const connection = await connect({ servers: process.env.NATS_URL });
 * const kv = await new Kvm(connection).create("bitflake", { allow_direct: false });
 * const orders = new Counter({ backend: fromNatsKv(kv), name: "orders" });
 * typeof (await orders.next()); // => 'bigint'
 * await connection.close();
 * ```
 */
export function fromNatsKv(kv: NatsKv, options: PortSettings = {}): CellPort {
  const settings = resolvePortSettings(kv, "put", options);
  let ttl: Promise<number> | undefined;
  /** Asserts that the bucket keeps a value for its time. Otherwise a counter would begin again, and work run again. */
  const assertKept = async (keepMs = Infinity) => {
    ttl ??= kv.status().then((status) => status.ttl);
    try {
      const ttlMs = await ttl;
      if (ttlMs === 0 || keepMs <= ttlMs) return;
      const needed = keepMs === Infinity ? "for ever" : `for ${Math.ceil(keepMs)} ms`;
      throw new Error(`the bucket has a ttl of ${ttlMs} ms, and this value is kept ${needed}`);
    } catch (error) {
      // The next swap asks again, because the store may have been down, or the bucket changed.
      ttl = undefined;
      throw error;
    }
  };
  const textOf = (entry: NatsKvEntry | null) => (entry?.operation === "PUT" ? entry.string() : undefined);
  return {
    ...settings,
    read: async (key) => cellOfText(textOf(await kv.get(encodeKey(key)))),
    async swap(key, version, value, keepMs) {
      await assertKept(keepMs);
      const entryKey = encodeKey(key);
      const before = await kv.get(entryKey);
      const cell = cellOfText(textOf(before));
      if (cell.version !== version) return { ...cell, swapped: false };
      const text = makeText(value, keepMs);
      let after: string | undefined = text;
      try {
        await kv.put(entryKey, text, { previousSeq: before?.revision ?? 0 });
      } catch (error) {
        if (!/wrong last sequence/.test(String((error as { message?: unknown }).message))) throw error;
        after = textOf(await kv.get(entryKey));
      }
      // After an error it may still be this text, because clients send again what had no answer.
      return { ...cellOfText(after), swapped: after === text };
    },
    async list(prefix) {
      const cells = new Map<string, ListedCell>();
      // A key that is written during a list can be missing in it, since its old revision is gone and its new one comes after the
      // end. So such a list is repeated. A key that an earlier one had stays: it was there at some moment of the call.
      let isComplete = false;
      for (let lists = 0; lists < MAX_LISTS && !isComplete; lists++) {
        isComplete = true;
        // The client ends the list when no write is left, so it would not end while others write. It ends here at a write that
        // came after its beginning. A consumer that is stopped ends a list too, without an error.
        let following = 0;
        const { streamInfo } = await kv.status();
        // In the order of the revisions, so that the last one of a key remains if the bucket keeps several.
        for await (const entry of await kv.history({ key: filterOf(prefix) })) {
          // nats 2 yields nothing for a write that arrives at the end of the list.
          if (entry === undefined) {
            isComplete = false;
            continue;
          }
          following = entry.delta ?? 0;
          const key = decodeKey(entry.key);
          if (key.startsWith(prefix)) cells.set(key, { key, ...cellOfText(textOf(entry)) });
          if (entry.revision > streamInfo.state.last_seq) {
            isComplete = false;
            break;
          }
        }
        if (following > 0) isComplete = false;
      }
      return [...cells.values()].filter(({ version }) => version !== "");
    },
  };
}
