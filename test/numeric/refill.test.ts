// Refiller: the token of each refill, and how one ends.

import { afterEach, describe, expect, test, vi } from "vitest";
import { NoValidIdError } from "../../src/internal.ts";
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

describe("a refill", () => {
  /** A builder that finds no ID, of a given length. */
  const builderWithoutIds = (length: number) =>
    ({
      length,
      size: 0,
      isRare: true,
      clear() {},
      isTooNear: () => false,
      push: () => false,
    }) as unknown as DigitBuilder;

  /** A store without IDs, whose claims end after `claims` steps. Records which scans were written. */
  function createStore({ claims = Infinity, onClaim = () => {} }) {
    const scans: string[] = [];
    const released: string[] = [];
    const store = {
      claimRefill: async (token: string) => {
        expect(token).not.toBe("");
        onClaim();
        return claims-- > 0 ? (scans.at(-1) ?? "") : null;
      },
      releaseRefill: async (token: string) => void released.push(token),
      count: async () => ({ available: 0, scan: scans.at(-1) ?? "" }),
      add: async () => 0,
      advanceScan: async (_from: string, to: string) => void scans.push(to),
    };
    return { store: store as unknown as PoolPort, scans, released };
  }

  test("of IDs too long to scan fails if no draw finds one", async () => {
    const { store, scans, released } = createStore({});
    const refiller = new Refiller(store, "farmer", builderWithoutIds(11));
    await expect(refiller.start(5)).rejects.toThrow(NoValidIdError);
    expect(scans).toEqual([]);
    expect(released).toHaveLength(1);
    expect(refiller.running).toBeUndefined();
  });

  test("of IDs that can be scanned begins a scan, and ends if another process has claimed the refill", async () => {
    const { store, scans, released } = createStore({ claims: 1 });
    expect(await new Refiller(store, "farmer", builderWithoutIds(10)).start(5)).toBe("busy");
    expect(scans).toHaveLength(1);
    expect(released).toHaveLength(1);
  });

  test("that is stopped ends after its step", async () => {
    let claims = 0;
    let stopped: Promise<void> | undefined;
    const onClaim = () => {
      // The first claim is that of the start, the second that of the first step.
      if (++claims === 2) stopped = refiller.stop();
    };
    const { store, scans } = createStore({ onClaim });
    const refiller: Refiller = new Refiller(store, "farmer", builderWithoutIds(10));
    expect(await refiller.start(5)).toBe("stopped");
    await stopped;
    expect([claims, scans.length]).toEqual([2, 1]);
  });
});
