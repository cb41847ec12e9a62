// The parts of @jest/globals that the recipe of docs/testing.md uses, made of Vitest's.

import { vi } from "vitest";

export { afterEach, beforeEach, expect, test } from "vitest";

/** The fake timers of Jest, as far as they are used. */
export const jest = {
  useFakeTimers: (options: { readonly now: Date }): unknown => vi.useFakeTimers(options),
  useRealTimers: (): unknown => vi.useRealTimers(),
  advanceTimersByTime: (ms: number): unknown => vi.advanceTimersByTime(ms),
};
