// Counters in the memory of this process: runs the rule itself.

import { callMemory } from "../backend/call.ts";
import type { MemoryPort } from "../backend/ports.ts";
import { type CounterPort, RESERVE } from "./port.ts";
import { checkOutcome, NO_VALUE, reserve } from "./rule.ts";

export function memoryCounterPort(backend: MemoryPort, name: string): CounterPort {
  return {
    reserve(request, options) {
      const change = (before: bigint = NO_VALUE) => {
        const [after] = reserve(before, request);
        return [after, { before, after }] as const;
      };
      return callMemory(
        backend,
        RESERVE,
        () => backend.change(`counter:${name}`, change),
        (answer) => {
          // A backend that a user wrote may return anything.
          const { before, after } = answer as { before: bigint; after: bigint };
          return checkOutcome(request, before, after);
        },
        options,
      );
    },
  };
}
