// Counters on any store with compare-and-set: runs the rule itself. A counter's cell has its last value.

import { Cells, cellKey } from "../backend/cells.ts";
import type { CellPort } from "../backend/ports.ts";
import { parseId } from "../internal.ts";
import { type CounterPort, RESERVE } from "./port.ts";
import { NO_VALUE, reserve } from "./rule.ts";

export function cellCounterPort(port: CellPort, name: string): CounterPort {
  const cells = new Cells(port);
  const key = cellKey(port, "counter", name);
  return {
    reserve(request, options) {
      const step = (value: string | undefined) => {
        const before = value === undefined ? NO_VALUE : parseId(value);
        const [after, result] = reserve(before, request);
        return { value: after === before ? undefined : String(after), result };
      };
      return cells.step(RESERVE, key, step, { ...options, isRemembered: true });
    },
  };
}
