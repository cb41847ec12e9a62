// Idempotency keys in the memory of this process: the rule itself.

import { type CallOptions, callMemory } from "../backend/call.ts";
import { putExpiring } from "../backend/expiry.ts";
import type { MemoryPort } from "../backend/ports.ts";
import { parseAcquireResult, parseBoolean, parseForgetResult, parsePeekResult } from "./parseAnswer.ts";
import type { OncePort } from "./port.ts";
import { acquire, complete, extend, forget, isReleasable, type KeyRecord, peek } from "./rule.ts";

/** The records of a name, by key. Changed in place, because a copy for each step would be slow. */
type Records = Map<string, KeyRecord>;

export function memoryOncePort(backend: MemoryPort, name: string): OncePort {
  const apply = <T>(
    operation: string,
    change: (records: Records, now: number) => unknown,
    parse: (answer: unknown) => T,
    options?: CallOptions,
  ): Promise<T> => {
    const step = (records: Records = new Map(), nowMs: number) =>
      [records, change(records, Math.floor(nowMs))] as const;
    return callMemory(
      backend,
      `idempotency: ${operation}`,
      () => backend.change(`once:${name}`, step),
      parse,
      options,
    );
  };
  /** Stores the record that a step returns. Resolves to whether it returned one. */
  const update = (
    operation: string,
    key: string,
    step: (record: KeyRecord | undefined, now: number) => KeyRecord | undefined,
    options?: CallOptions,
  ) => {
    const put = (records: Records, now: number) => {
      const next = step(records.get(key), now);
      if (next !== undefined) putExpiring(records, key, next, now);
      return next !== undefined;
    };
    return apply(operation, put, parseBoolean, options);
  };
  return {
    acquire: (key, request, options) => {
      const put = (records: Records, now: number) => {
        const [next, result] = acquire(records.get(key), request, now);
        if (result.outcome === "acquired") putExpiring(records, key, next, now);
        // Without a change of order, because the record ends when it did before.
        else records.set(key, next);
        return result;
      };
      return apply("acquire", put, parseAcquireResult, options);
    },
    extend: (key, request, options) =>
      update("extend", key, (record, now) => extend(record, request, now), options),
    complete: (key, request, value) =>
      update("complete", key, (record, now) => complete(record, request, value, now)),
    release: (key, owner, options) => {
      const remove = (records: Records, now: number) =>
        isReleasable(records.get(key), owner, now) && records.delete(key);
      return apply("release", remove, parseBoolean, options);
    },
    peek: (key) => apply("peek", (records, now) => peek(records.get(key), now), parsePeekResult),
    forget: (key) => {
      const remove = (records: Records, now: number) => {
        const result = forget(records.get(key), now);
        if (result.outcome === "forgotten") records.delete(key);
        return result;
      };
      return apply("forget", remove, parseForgetResult);
    },
  };
}
