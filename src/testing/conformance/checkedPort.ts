// A port whose answers are checked: each call ends in time, and each answer has the fields of its interface.

import { callStore } from "../../backend/call.ts";
import type { Cell, CellPort, ListedCell, SwapResult } from "../../backend/ports.ts";
import { show, UnmetExpectation } from "./expect.ts";

/** The value and the version of a cell, which rules compare. */
export type Contents = Pick<Cell, "value" | "version">;

/** The contents of a key without a value. */
export const NOTHING: Contents = { value: undefined, version: "" };

export function contentsOf({ value, version }: Cell): Contents {
  return { value, version };
}

/** A port with a list that is never missing: without one of the port's own it is not called. */
export type CheckedPort = Required<Pick<CellPort, "read" | "swap" | "list">>;

/** Wraps a port. Its calls throw an {@link UnmetExpectation} if the port fails, is too slow, or has an answer of another form. */
export function checkedPort(port: CellPort): CheckedPort {
  async function call<T>(key: string, operation: string, send: () => Promise<T>): Promise<T> {
    try {
      return await callStore(port, operation, send, (answer) => answer as T);
    } catch (error) {
      // The port's own error says more than the one around it.
      const { cause = error } = error as Error;
      throw new UnmetExpectation(key, `${operation} to answer`, show(cause), { cause });
    }
  }
  return {
    async read(key) {
      return checkCell(key, "read", await call(key, "read", () => port.read(key)));
    },
    async swap(key, version, value, keepMs) {
      const answer = await call(key, "swap", () => port.swap(key, version, value, keepMs));
      const { swapped } = checkCell<SwapResult>(key, "swap", answer);
      if (typeof swapped !== "boolean")
        throw new UnmetExpectation(key, "swap to return swapped as true or false", show(swapped));
      return answer;
    },
    async list(prefix) {
      const cells = await call(prefix, "list", async () => port.list?.(prefix) as Promise<ListedCell[]>);
      if (!Array.isArray(cells)) throw new UnmetExpectation(prefix, "list to return an array", show(cells));
      for (const cell of cells) {
        const { key } = checkCell(prefix, "list", cell);
        if (typeof key !== "string")
          throw new UnmetExpectation(prefix, "list to return the key of each cell as a string", show(key));
      }
      return cells;
    },
  };
}

/** Asserts that a value is a cell. */
function checkCell<C extends Cell>(key: string, operation: string, cell: C): C {
  const { value, version, nowMs } = Object(cell) as Record<keyof Cell, unknown>;
  const refuse = (rule: string, actual: unknown) => {
    throw new UnmetExpectation(key, `${operation} to return ${rule}`, show(actual));
  };
  if (value !== undefined && typeof value !== "string") refuse("value as a string or undefined", value);
  if (typeof version !== "string") refuse("version as a string", version);
  if ((value === undefined) !== (version === ""))
    refuse('version "" with value undefined, and another one with a value', { value, version });
  if (nowMs !== undefined && !Number.isFinite(nowMs)) refuse("nowMs as a finite number or undefined", nowMs);
  return cell;
}
