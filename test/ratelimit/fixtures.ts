// Stores for the tests of rate limits: one for each kind of port, with a clock that tests set.

import { vi } from "vitest";
import { type Backend, memory } from "../../src/backend/index.ts";
import { memoryCells } from "../support/memoryCells.ts";
import { NOW } from "./arbitraries.ts";
import { FakeRedis, FakeSql } from "./fakePorts.ts";

export const KEY = "ada";

/** A store whose clock, and whose TAT for the key "ada" of the limit "api", can be set. */
export interface Fixture {
  readonly backend: Backend;
  /** Sets the clock, in microseconds. */
  set(now: number): void;
  put(tat: number): void;
  get(): number | undefined;
}

export type Entries = Map<string, { readonly ends: number }>;

function onMemory(): Fixture {
  let now = NOW;
  const backend = memory({ clock: () => now / 1000 });
  const open = <T>(use: (entries: Entries) => T) =>
    backend.change<Entries, T>("rate:api", (entries = new Map()) => [entries, use(entries)]);
  return {
    backend,
    set: (to) => {
      now = to;
    },
    put: (tat) => void open((entries) => entries.set(KEY, { ends: tat })),
    get: () => open((entries) => entries.get(KEY)?.ends),
  };
}

function onRedis(): Fixture {
  const backend = new FakeRedis();
  const key = "bitflake:{ada}:rate:api";
  return {
    backend,
    set: (to) => {
      backend.now = to;
    },
    put: (tat) => void backend.states.set(key, { tat, blockedUntil: 0 }),
    get: () => backend.states.get(key)?.tat,
  };
}

const onSql = (dialect: "postgres" | "sqlite") => (): Fixture => {
  const backend = new FakeSql(dialect);
  const id = JSON.stringify(["api", KEY]);
  return {
    backend,
    set: (to) => {
      backend.now = to;
    },
    put: (tat) => void backend.rows.set(id, BigInt(tat)),
    get: () => (backend.rows.has(id) ? Number(backend.rows.get(id)) : undefined),
  };
};

/** Cells of a store without a clock. Needs fake timers for `Date`. */
function onCells(): Fixture {
  const backend = memoryCells();
  vi.setSystemTime(NOW / 1000);
  const key = "bitflake:rate:api:ada";
  return {
    backend,
    set: (to) => void vi.setSystemTime(to / 1000),
    put: (tat) => void backend.swap(key, "", String(tat)),
    get: () => {
      const value = backend.values()[key];
      return value === undefined ? undefined : Number.parseInt(value, 10);
    },
  };
}

export const fixtures: [string, () => Fixture][] = [
  ["memory", onMemory],
  ["a Redis", onRedis],
  ["a PostgreSQL", onSql("postgres")],
  ["a SQLite", onSql("sqlite")],
];

/** The fixtures, and one of cells, which needs fake timers for `Date`. */
export const allFixtures: [string, () => Fixture][] = [...fixtures, ["cells", onCells]];
