import { afterEach, expect, test, vi } from "vitest";
import type { Walk } from "../../src/numeric/digitBuilder.ts";
import type { PoolStore } from "../../src/numeric/port.ts";
import { Filler } from "../../src/numeric/refill.ts";

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
  const fillerOf = () => new Filler(store as unknown as PoolStore, "farmer", {} as Walk);
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
