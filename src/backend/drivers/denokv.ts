// Adapter for Deno KV.

import { resolvePortSettings } from "../portSettings.ts";
import type { Cell, CellPort, PortSettings } from "../ports.ts";
import { cellOfText, hasEnded, makeText } from "./storedText.ts";

/** A key of Deno KV: the parts of a port's key, after a 0 if it is that of a token. */
export type DenoKvKey = readonly (string | number)[];

/** An entry of Deno KV: the parts that the adapter reads. */
export interface DenoKvEntry {
  /** The key. */
  readonly key: readonly unknown[];
  /** The value; `null` if there is no entry. */
  readonly value: unknown;
  /** Names the commit that wrote it; `null` if there is no entry. */
  readonly versionstamp: string | null;
}

/** An atomic operation of Deno KV: the methods that the adapter calls. */
export interface DenoKvAtomic {
  /** Lets the commit fail unless an entry has this versionstamp. */
  check(check: { key: DenoKvKey; versionstamp: string | null }): DenoKvAtomic;
  /** Writes an entry. */
  set(key: DenoKvKey, value: unknown, options: { expireIn?: number }): DenoKvAtomic;
  /** Deletes an entry. */
  delete(key: DenoKvKey): DenoKvAtomic;
  /** Commits the operation. */
  commit(): Promise<{
    /** Whether all checks held. */
    readonly ok: boolean;
    /** The versionstamp of the entries written. */
    readonly versionstamp?: string;
  }>;
}

/** A `Deno.Kv`: the methods that the adapter calls. */
export interface DenoKv {
  /** Reads an entry. */
  get(key: DenoKvKey): Promise<DenoKvEntry>;
  /** Reads the entries whose keys begin with these parts. */
  list(selector: { prefix: DenoKvKey }): AsyncIterable<DenoKvEntry>;
  /** Begins an atomic operation. */
  atomic(): DenoKvAtomic;
}

/** How long an entry is kept after its end, because the clocks of processes differ. */
const GRACE_MS = 60_000;

/**
 * Returns the key of the entry that a write has besides its value. It has the random token of the write, so that no entry of a
 * backup is taken for another one with the same versionstamp.
 */
const tokenKey = (key: DenoKvKey, text: string): DenoKvKey => [0, ...key, text.slice(0, 32)];

function textOf({ value, versionstamp }: DenoKvEntry): string | undefined {
  return versionstamp === null ? undefined : String(value);
}

/** Returns the cell of a text. Its version is the versionstamp and the text's token and end. */
function cellOf(text: string | undefined, versionstamp: string | null | undefined): Cell {
  const { value, version } = cellOfText(text);
  if (value === undefined) return { value, version };
  return { value, version: `${versionstamp} ${version.slice(0, version.length - value.length)}` };
}

/**
 * Creates a port from a `Deno.Kv`, in Deno 2 with `--unstable-kv` or on Deno Deploy.
 *
 * Deno KV exposes no clock, so times are those of the processes. A read and a swap are one call each, and a swap that loses is
 * two. Each write also writes an entry for its random token, because versionstamps come back with a backup.
 *
 * @param kv your database
 * @param options `prefix` of the keys, default `"bitflake"`; `timeoutMs` for an answer, default 5000
 * @throws {@link ArgumentError} if the client or an option is invalid
 *
 * @example
 * ```ts denokv
 * import { fromDenoKv } from "bitflake/backend";
 * import { Counter } from "bitflake/counter";
 *
 * const kv = await Deno.openKv();
 * const orders = new Counter({ backend: fromDenoKv(kv), name: "orders" });
 * typeof (await orders.next()); // => 'bigint'
 * kv.close();
 * ```
 */
export function fromDenoKv(kv: DenoKv, options: PortSettings = {}): CellPort {
  return {
    ...resolvePortSettings(kv, "atomic", options),
    async read(key) {
      const entry = await kv.get(key.split(":"));
      return cellOf(textOf(entry), entry.versionstamp);
    },
    async swap(key, version, value, keepMs) {
      const entryKey = key.split(":");
      const text = makeText(value, keepMs);
      const kept = keepMs === undefined ? {} : { expireIn: Math.ceil(keepMs) + GRACE_MS };
      /** Writes over an entry. Resolves to the versionstamp; `undefined` if another process was faster. */
      const write = async (versionstamp: string | null, before: string | undefined) => {
        const operation = kv.atomic().check({ key: entryKey, versionstamp });
        if (before !== undefined) {
          // An ended token may be deleted before the value.
          if (!hasEnded(before)) operation.check({ key: tokenKey(entryKey, before), versionstamp });
          operation.delete(tokenKey(entryKey, before));
        }
        operation.set(entryKey, text, kept).set(tokenKey(entryKey, text), 0, kept);
        const { ok, versionstamp: written } = await operation.commit();
        return ok ? written : undefined;
      };
      const [, versionstamp = null, before] = /^([0-9a-f]{20}) ([0-9a-f]{32} \d* )$/.exec(version) ?? [];
      if (before === undefined ? version === "" : !hasEnded(before)) {
        const written = await write(versionstamp, before);
        if (written) return { ...cellOf(text, written), swapped: true };
      }
      const found = await kv.get(entryKey);
      const foundText = textOf(found);
      // An ended value may still be there.
      if (version === "" && foundText !== undefined && hasEnded(foundText)) {
        const written = await write(found.versionstamp, foundText);
        if (written) return { ...cellOf(text, written), swapped: true };
      }
      // A remote database may be sent a commit twice.
      return { ...cellOf(foundText, found.versionstamp), swapped: foundText === text };
    },
    async list(prefix) {
      const cells = [];
      // All keys whose parts before the last colon are the same.
      for await (const entry of kv.list({ prefix: prefix.split(":").slice(0, -1) })) {
        const key = entry.key.join(":");
        if (key.startsWith(prefix)) cells.push({ key, ...cellOf(textOf(entry), entry.versionstamp) });
      }
      return cells.filter(({ version }) => version !== "");
    },
  };
}
