// Adapter for etcd 3.4 or later, by its JSON gateway over fetch.

import { resolvePortOptions } from "../portSettings.ts";
import type { CellPort, PortSettings } from "../ports.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { type EtcdFetch, EtcdLeases, type EtcdPair, type EtcdUser, makeEtcdCall } from "./etcdGateway.ts";
import { cellOfText, hasEnded, makeText } from "./storedText.ts";

/** Options of the adapter for etcd. */
export interface EtcdSettings extends PortSettings {
  /** The URL of a server, or those of several, such as `"http://127.0.0.1:2379"`. */
  readonly endpoints: string | readonly string[];
  /** The user, if etcd has authentication enabled. */
  readonly auth?: EtcdUser | undefined;
  /** Sends the requests, for example with a client certificate. Default: the global `fetch`. */
  readonly fetch?: EtcdFetch | undefined;
}

/** Returns the value of a pair. */
const textOf = (pair: EtcdPair | undefined) => pair && decodeBase64(pair.value ?? "");

/**
 * Creates a port from the URLs of etcd 3.4 or later, whose JSON gateway it calls.
 *
 * etcd exposes no clock, so times are those of the processes. A swap compares the whole value, which begins with a
 * random token, because after a restore etcd gives the same revision numbers again.
 *
 * @param options `endpoints`: the URLs; `auth`; `fetch`; `prefix` of the keys, default `"bitflake"`; `timeoutMs` for an
 *   answer of all endpoints together, default 5000. With `auth` a call may be two requests, each with its share of this time
 * @throws {@link ArgumentError} if an option is invalid
 *
 * @example
 * ```ts etcd
 * import { fromEtcd } from "bitflake/backend";
 * import { Counter } from "bitflake/counter";
 *
 * const backend = fromEtcd({ endpoints: process.env.ETCD_URL ?? "http://127.0.0.1:2379" });
 * const orders = new Counter({ backend, name: "orders" });
 * typeof (await orders.next()); // => 'bigint'
 * ```
 */
export function fromEtcd(options: EtcdSettings): CellPort {
  const settings = resolvePortOptions(options, "endpoints", "auth", "fetch");
  const call = makeEtcdCall({ ...options, ...settings });
  const ttls = new EtcdLeases(call);
  const read = async (key: string) => {
    const { kvs } = await call("kv/range", { key: encodeBase64(key) });
    return cellOfText(textOf(kvs?.[0]));
  };
  /** Writes a text over the one before, if it is still there. Resolves to the text that the key has then. */
  const write = async (key: string, before: string, text: string, ttlId: string) => {
    const request = { key: encodeBase64(key) };
    const compare =
      before === ""
        ? { ...request, target: "CREATE", create_revision: "0" }
        : { ...request, target: "VALUE", value: encodeBase64(before) };
    const { succeeded, responses } = await call("kv/txn", {
      compare: [compare],
      success: [{ request_put: { ...request, value: encodeBase64(text), lease: ttlId } }],
      failure: [{ request_range: request }],
    });
    return succeeded ? text : textOf(responses?.[0]?.response_range?.kvs?.[0]);
  };
  const swap = async (key: string, version: string, value: string, keepMs: number | undefined) => {
    const text = makeText(value, keepMs);
    const ttlId = await ttls.find(keepMs);
    let after = await write(key, version, text, ttlId);
    // An ended value is still there until its TTL, a lease of etcd, ends.
    if (version === "" && after !== undefined && after !== text && hasEnded(after))
      after = await write(key, after, text, ttlId);
    // A call without an answer is sent to the next endpoint, where it fails if it was carried out: then the key has its text.
    return { ...cellOfText(after), swapped: after === text };
  };
  return {
    ...settings,
    read,
    async swap(key, version, value, keepMs) {
      // An ended value counts as none, so its version cannot match any more.
      if (hasEnded(version)) return { ...(await read(key)), swapped: false };
      try {
        return await swap(key, version, value, keepMs);
      } catch (error) {
        if (!/lease not found/.test(String(error))) throw error;
        ttls.forget();
        return swap(key, version, value, keepMs);
      }
    },
    async list(prefix) {
      const start = encodeBase64(prefix);
      // The end is the prefix with its last byte plus one.
      const end = btoa(atob(start).replace(/.$/s, (last) => String.fromCharCode(last.charCodeAt(0) + 1)));
      const { kvs = [] } = await call("kv/range", { key: start, range_end: end });
      return kvs
        .map((pair) => ({ key: decodeBase64(pair.key), ...cellOfText(textOf(pair)) }))
        .filter(({ version }) => version !== "");
    },
  };
}
