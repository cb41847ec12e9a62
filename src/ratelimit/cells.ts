// Rate limits on any store with compare-and-set: runs the rule itself. A key's cell has its TAT, in microseconds.

import { Cells, cellKey } from "../backend/cells.ts";
import { GRACE_MS, MAX_SKEW_MS } from "../backend/expiry.ts";
import type { CellPort } from "../backend/ports.ts";
import { OPERATION } from "./parseAnswer.ts";
import type { RateLimitPort } from "./port.ts";
import { consume, type Gcra, GRACE_US } from "./rule.ts";

export function cellRateLimitPort(port: CellPort, name: string, gcra: Gcra): RateLimitPort {
  const cells = new Cells(port);
  return {
    consume(key, costUs) {
      const step = (value: string | undefined, nowMs: number, hasClock: boolean) => {
        const before = value === undefined ? undefined : parseTat(value);
        // Otherwise a process whose clock is behind would give the quota back to the others with each call that it denies.
        const graceUs = hasClock ? GRACE_US : MAX_SKEW_MS * 1000;
        const result = consume(gcra, costUs, before, Math.floor(nowMs * 1000), graceUs);
        const { tat, now } = result;
        if (tat === before) return { result };
        return { value: String(tat), keepMs: Math.max(0, Math.ceil((tat - now) / 1000)) + GRACE_MS, result };
      };
      return cells.step(OPERATION, cellKey(port, "rate", name, key), step);
    },
  };
}

function parseTat(value: string): number {
  const tat = Number(value);
  if (!/^-?\d+$/.test(value) || !Number.isSafeInteger(tat)) throw new Error("not a TAT");
  return tat;
}
