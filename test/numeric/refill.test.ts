// Refiller: the token of each refill.

import { afterEach, expect, test, vi } from "vitest";
import type { DigitBuilder } from "../../src/numeric/digitBuilder.ts";
import type { PoolPort } from "../../src/numeric/port.ts";
import { Refiller } from "../../src/numeric/refill.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

test("each refill has its own token, drawn when it starts", async () => {
  const tokens: string[] = [];
  const store = {
    claimRefill: async (token: string) => {
      tokens.push(token);
      return "";
    },
    releaseRefill: async (token: string) => void tokens.push(token),
    count: async () => ({ available: 5, scan: "" }),
  };
  const createRefiller = () => new Refiller(store as unknown as PoolPort, "farmer", {} as DigitBuilder);
  const refillers = [createRefiller(), createRefiller()];
  // A test may replace randomUUID, and a snapshot may keep its values.
  vi.stubGlobal("crypto", {
    getRandomValues: crypto.getRandomValues.bind(crypto),
    randomUUID: () => "00000000-0000-4000-8000-000000000000",
  });
  for (const refiller of [...refillers, ...refillers]) expect(await refiller.start(5)).toBe("filled");
  expect(tokens).toHaveLength(8);
  // A refill claims and releases with the same token.
  tokens.forEach((token, at) => void expect(token).toBe(tokens[at - (at % 2)]));
  expect(new Set(tokens).size).toBe(4);
});
