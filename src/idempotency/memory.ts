// Keys in the memory of this process: the steps as they are.

import { type CallOptions, callStore } from "../backend/call.ts";
import { putExpiring } from "../backend/expiry.ts";
import type { MemoryPort } from "../backend/ports.ts";
import { parseAcquireResult, parseBoolean } from "./parseAnswers.ts";
import type { AcquireOptions, OncePort } from "./port.ts";
import { acquire, complete, extend, isReleasable, type KeyRecord } from "./rule.ts";

/** All keys of a name. Changed in place: copied at each step it would be slow, and no one else sees it. */
type Book = Map<string, KeyRecord>;

export function memoryStore(port: MemoryPort, name: string): OncePort {
  const apply = <T>(
    operation: string,
    change: (book: Book, now: number) => unknown,
    read: (answer: unknown) => T,
    asking: CallOptions | undefined,
  ): Promise<T> => {
    const step = (book: Book = new Map(), nowMs: number) => [book, change(book, Math.floor(nowMs))] as const;
    return callStore(
      port,
      `idempotency: ${operation}`,
      async () => port.change(`once:${name}`, step),
      read,
      asking,
    );
  };
  /** Puts what a step makes of a key; resolves to whether it made anything. */
  const change = (
    operation: string,
    key: string,
    step: (held: KeyRecord | undefined, now: number) => KeyRecord | undefined,
    asking?: CallOptions,
  ) => {
    const put = (book: Book, now: number) => {
      const after = step(book.get(key), now);
      if (after !== undefined) putExpiring(book, key, after, now);
      return after !== undefined;
    };
    return apply(operation, put, parseBoolean, asking);
  };
  return {
    acquire: (key, claim, asking?: AcquireOptions) => {
      const put = (book: Book, now: number) => {
        const [after, beginning] = acquire(book.get(key), claim, now);
        if (beginning.outcome === "started") putExpiring(book, key, after, now);
        else book.set(key, after); // In its place: when it is forgotten is not changed.
        return beginning;
      };
      return apply("begin", put, parseAcquireResult, asking);
    },
    extend: (key, claim, asking) => change("extend", key, (held, now) => extend(held, claim, now), asking),
    complete: (key, claim, value) =>
      change("complete", key, (held, now) => complete(held, claim, value, now)),
    release: (key, owner, asking) => {
      const leave = (book: Book, now: number) => isReleasable(book.get(key), owner, now) && book.delete(key);
      return apply("release", leave, parseBoolean, asking);
    },
  };
}
