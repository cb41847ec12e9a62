// A store with compare-and-set in memory, for tests: its clock and its answers are scripted.

import type { Cell, CellPort, ListedCell, SwapResult } from "../../src/backend/index.ts";

/** What a test can do with the store. */
export interface MemoryCells extends CellPort {
  /** The calls so far, such as `"read orders"`. */
  readonly calls: string[];
  /** The values, by key. */
  values(): Readonly<Record<string, string>>;
  /** Runs before each call. It may write as another process, wait, or throw. */
  before: (call: string) => unknown;
  /** Runs after each call, before its answer. If it throws, the answer is lost. */
  after: (call: string) => unknown;
}

/** @param clock the store's clock; `undefined` for a store without one */
export function memoryCells(clock?: () => number, settings: { timeoutMs?: number } = {}): MemoryCells {
  const cells = new Map<string, { value: string; version: string; ends: number }>();
  let versions = 0;
  const now = () => clock?.() ?? Date.now();
  const cellOf = (key: string): Cell => {
    const found = cells.get(key);
    const { value, version } = found && found.ends > now() ? found : { value: undefined, version: "" };
    return { value, version, nowMs: clock?.() };
  };
  async function run<T>(call: string, step: () => T): Promise<T> {
    port.calls.push(call);
    await port.before(call);
    const answer = step();
    await port.after(call);
    return answer;
  }
  const port: MemoryCells = {
    ...settings,
    calls: [],
    before: () => {},
    after: () => {},
    values: () => Object.fromEntries([...cells].map(([key, { value }]) => [key, value])),
    read: (key) => run(`read ${key}`, () => cellOf(key)),
    swap: (key, version, value, keepMs = Infinity) =>
      run<SwapResult>(`swap ${key}`, () => {
        const swapped = cellOf(key).version === version;
        if (swapped) cells.set(key, { value, version: `v${++versions}`, ends: now() + keepMs });
        return { ...cellOf(key), swapped };
      }),
    list: (prefix) =>
      run<ListedCell[]>(`list ${prefix}`, () =>
        [...cells.keys()]
          .filter((key) => key.startsWith(prefix))
          .map((key) => ({ key, ...cellOf(key) }))
          .filter(({ version }) => version !== ""),
      ),
  };
  return port;
}
