// Rate limits in the memory of this process: the rule itself.

import { callStore } from "../backend/call.ts";
import { putExpiring } from "../backend/expiry.ts";
import type { MemoryPort } from "../backend/ports.ts";
import { OPERATION, plausibleOrUndefined } from "./parseAnswer.ts";
import type { RateLimitPort } from "./port.ts";
import { type ConsumeResult, consume, type Gcra } from "./rule.ts";

/** The TATs of a limit's keys, by key. Changed in place, because a copy for each call would be slow. */
type Entries = Map<string, { readonly ends: number }>;

export function memoryRateLimitPort(backend: MemoryPort, name: string, gcra: Gcra): RateLimitPort {
  return {
    consume(key, costUs) {
      const change = (entries: Entries = new Map(), nowMs: number) => {
        const before = entries.get(key)?.ends;
        const result = consume(gcra, costUs, before, Math.floor(nowMs * 1000));
        const { tat, now } = result;
        if (tat !== before) putExpiring(entries, key, { ends: tat }, now);
        return [entries, result] as const;
      };
      return callStore(
        backend,
        OPERATION,
        async () => backend.change(`rate:${name}`, change),
        (answer) => plausibleOrUndefined(gcra, costUs, answer as ConsumeResult),
      );
    },
  };
}
