import { afterEach, expect, test, vi } from "vitest";
import type { DigitBuilder } from "../../src/numeric/digitBuilder.ts";
import type { PoolPort } from "../../src/numeric/port.ts";
import { Refiller } from "../../src/numeric/refill.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

test("each refill has a name of its own, drawn when it begins", async () => {
  const names: string[] = [];
  const store = {
    claim: async (name: string) => {
      names.push(name);
      return "";
    },
    leave: async (name: string) => void names.push(name),
    count: async () => ({ available: 5, sweep: "" }),
  };
  const fillerOf = () => new Refiller(store as unknown as PoolPort, "farmer", {} as DigitBuilder);
  const fillers = [fillerOf(), fillerOf()];
  // As a test may replace it, or a snapshot keep it.
  vi.stubGlobal("crypto", {
    getRandomValues: crypto.getRandomValues.bind(crypto),
    randomUUID: () => "00000000-0000-4000-8000-000000000000",
  });
  for (const filler of [...fillers, ...fillers]) expect(await filler.fill(5)).toBe("filled");
  expect(names).toHaveLength(8);
  // The one that claims is the one that leaves.
  names.forEach((name, at) => void expect(name).toBe(names[at - (at % 2)]));
  expect(new Set(names).size).toBe(4);
});
