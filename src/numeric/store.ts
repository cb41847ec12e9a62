// What a pool asks of a store. Each call is one step: it is done as a whole or not at all.

import type { Backend } from "../backend/ports.ts";
import { ArgumentError } from "../core.ts";
import { memoryStore } from "./memory.ts";
import { sqlStore } from "./sql.ts";

/** An ID to be added, with its place in the order of issue. */
export type Entry = readonly [id: string, rank: number];

/** What is there to be issued. */
export interface Supply {
  readonly available: number;
  /** How far the sweep is, as the store keeps it. */
  readonly sweep: string;
}

/** All of it. */
export interface Stock extends Supply {
  readonly taken: number;
  /** Whether a process refills the pool now. */
  readonly isFilling: boolean;
}

/** The IDs of one type, in a store. */
export interface PoolStore {
  /** Takes IDs: as many as asked, or none; those with the next ranks from `from` on, and after the last from 0. */
  issue(count: number, from: number): Promise<readonly string[] | Supply>;
  /** Takes an ID for a request, or finds the one that the request was given, and calls `onReplay`. */
  issueFor(request: string, from: number, onReplay: () => void): Promise<readonly string[] | Supply>;
  /** How many are available, counted up to a limit. */
  count(most: number): Promise<Supply>;
  stock(): Promise<Stock>;
  /** Adds IDs but those that are there already; resolves to how many it added. */
  add(entries: readonly Entry[]): Promise<number>;
  /** Takes given IDs, added if they are not there; resolves to how many had not been taken. */
  take(ids: readonly string[]): Promise<number>;
  /** Makes a process the one that refills, for so long, unless another one is; resolves to the sweep. */
  claim(filler: string, ms: number): Promise<string | null>;
  /** Gives that up. */
  leave(filler: string): Promise<unknown>;
  /** Moves the sweep on, unless someone else has. */
  advance(from: string, to: string): Promise<boolean>;
}

/** The store of a type's pool. */
export function storeOf(backend: Backend, type: string): PoolStore {
  if ("query" in backend) return sqlStore(backend, type);
  if ("change" in backend) return memoryStore(backend, type);
  // A Redis that loses its last write issues an ID again, and can tell no one.
  throw new ArgumentError("backend", "PostgreSQL, SQLite or memory; with Redis, take PermutedIds", backend);
}
