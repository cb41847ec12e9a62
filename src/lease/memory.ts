// Leases in the memory of this process: the protocol as it is.

import { type Asking, ask } from "../backend/ask.ts";
import type { MemoryPort } from "../backend/ports.ts";
import { acquire, type Book, release, renew } from "./protocol.ts";
import type { LeaseStore } from "./store.ts";

export function memoryStore(port: MemoryPort, namespace: string): LeaseStore {
  const name = `lease:${namespace}`;
  type Change<T> = (book: Book | undefined, storeMs: number) => readonly [Book | undefined, T];
  const apply = <T>(operation: string, change: Change<T>, asking?: Asking) => {
    const call = async () => port.change<Book | undefined, T>(name, change);
    return ask(port, operation, call, (result) => result as T, asking);
  };
  return {
    acquire: (space, owner, nowMs, asking) =>
      apply("lease: acquire", (book, storeMs) => acquire(book, space, owner, nowMs, storeMs), asking),
    renew: (space, owner, node, nowMs, asking) =>
      apply("lease: renew", (book, storeMs) => renew(book, space, owner, node, nowMs, storeMs), asking),
    release: async (_space, owner, node, unused) => {
      await apply("lease: release", (book) => [book && release(book, owner, node, unused), true]);
    },
    read: () => apply("lease: read", (book, storeMs) => [book, { book, storeMs }]),
  };
}
