// What a pool asks of a store. Each call is one step: it is done as a whole or not at all.

import type { Backend } from "../backend/ports.ts";
import { ArgumentError } from "../internal.ts";
import type { TakenId } from "./issued.ts";
import { memoryStore } from "./memory.ts";
import { sqlStore } from "./native/sql.ts";

/** An ID to be added, with its place in the order of issue. */
export type Entry = readonly [id: string, rank: number];

/** What is there to be issued. */
export interface Supply {
  /** How many IDs there are, up to as many as were asked about. */
  readonly available: number;
  /** How far the sweep is, as the store keeps it. */
  readonly sweep: string;
}

/** The history that a store is on, and the one that it has recorded for a type; empty texts where it does not tell. */
export interface History {
  readonly recorded: string;
  readonly current: string;
}

/** All that a status says. */
export interface Stock extends Supply, History {
  readonly taken: number;
  /** Whether a process refills the pool now. */
  readonly isFilling: boolean;
}

/** What an issue comes to: IDs, or why there are none. */
export type Issue = readonly string[] | Supply | History;

/** The IDs of one type, in a store. */
export interface PoolPort {
  /** Tells the history, and records the current one for a type that has none. Before all other calls. */
  begin(): Promise<History>;
  /** Records a history as the type's, if the store is on it now. */
  accept(history: string): Promise<boolean>;
  /**
   * Takes IDs: as many as asked, or none; those with the next ranks from `from` on, and after the last from 0.
   *
   * @param history the one that the store must be on
   */
  issue(count: number, from: number, history: string): Promise<Issue>;
  /** Takes an ID for a request, or finds the one that the request was given, and calls `onReplay`. */
  issueFor(request: string, from: number, history: string, onReplay: () => void): Promise<Issue>;
  /** How many are available, counted up to a limit. */
  count(most: number): Promise<Supply>;
  /**
   * @param most up to which the available ones are counted
   * @param claimMs how long a claim lasts: one that ends later is of a clock that was set back
   */
  stock(most: number, claimMs: number): Promise<Stock>;
  /** Adds IDs but those that are there already; resolves to how many it added. */
  add(entries: readonly Entry[]): Promise<number>;
  /** Takes given IDs, added if they are not there; resolves to how many had not been taken. */
  take(ids: readonly TakenId[]): Promise<number>;
  /** Makes the counts of taken IDs fewer, where a store keeps several. */
  mergeCounts(): Promise<unknown>;
  /** Makes a process the one that refills, for so long, unless another one is; resolves to the sweep. */
  claim(filler: string, ms: number): Promise<string | null>;
  /** Gives that up. */
  leave(filler: string): Promise<unknown>;
  /** Moves the sweep on, unless someone else has. */
  advance(from: string, to: string): Promise<boolean>;
}

/** The store of a type's pool. */
export function poolPort(backend: Backend, type: string): PoolPort {
  if ("query" in backend) return sqlStore(backend, type);
  if ("change" in backend) return memoryStore(backend, type);
  // A Redis that loses its last write issues an ID again, and can tell no one.
  throw new ArgumentError("backend", "PostgreSQL, SQLite or memory; with Redis, take PermutedIds", backend);
}
