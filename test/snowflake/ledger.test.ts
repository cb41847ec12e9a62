// Entries of the ledger, and the limit of a grant: their own rules, without a generator.

import { describe, expect, test } from "vitest";
import { mergeOptions, resolveGeneratorSettings } from "../../src/internal.ts";
import { grantLimit, lastOfTick, shiftNode } from "../../src/snowflake/grant.ts";
import { createEntry, raiseEntry } from "../../src/snowflake/ledger.ts";

describe("raising an entry", () => {
  const facts = (entry: ReturnType<typeof createEntry>) => ({
    last: entry.word[0],
    low: entry.low[0],
    readingMs: entry.highestReadingMs,
    firstTick: entry.firstTick,
  });

  test("a new one takes all, and none of it is lowered later", () => {
    const entry = createEntry();
    expect(facts(entry)).toEqual({ last: -2n, low: 0xffff_fffe, readingMs: Number.NaN, firstTick: Infinity });
    raiseEntry(entry, 40n, 7, 3);
    const raised = { last: 40n, low: 40, readingMs: 7, firstTick: 3 };
    expect(facts(entry)).toEqual(raised);
    raiseEntry(entry, 39n, 6, 4);
    expect(facts(entry)).toEqual(raised);
    raiseEntry(entry, 41n, 6, 4);
    expect(facts(entry)).toEqual({ ...raised, last: 41n, low: 41 });
    raiseEntry(entry, 41n, 8, 2);
    expect(facts(entry)).toEqual({ last: 41n, low: 41, readingMs: 8, firstTick: 2 });
  });

  test("one whose memory threads share raises that, and leaves the reading to it", () => {
    const entry = createEntry();
    const raises: [bigint, number][] = [];
    entry.shared = {
      raise: (last, readingMs) => raises.push([last, readingMs]),
      end: () => ({ last: 0n, highestReadingMs: 0 }),
    };
    raiseEntry(entry, 40n, 7, 3);
    expect(raises).toEqual([[40n, 7]]);
    expect(facts(entry)).toMatchObject({ last: 40n, readingMs: Number.NaN, firstTick: 3 });
  });
});

describe("a grant", () => {
  const settings = resolveGeneratorSettings(mergeOptions("twitter"));

  test("its limit is its end, with an error that has the node and the times", () => {
    const { epochMs } = settings;
    const limit = grantLimit(settings, 39, 1000);
    expect(limit.until).toBe(1000);
    expect(limit.error(epochMs + 5)).toMatchObject({
      code: "ERR_LEASE_EXPIRED",
      node: 39,
      untilMs: epochMs + 1000,
      nowMs: epochMs + 5,
    });
    const coarse = resolveGeneratorSettings(mergeOptions("twitter", { tickMs: 10 }));
    expect(grantLimit(coarse, 39, 1000).error(0)).toMatchObject({ untilMs: epochMs + 10_000 });
  });

  test("an ID before the next tick has all bits of the sequence, and the node in its place", () => {
    expect(shiftNode(settings, 39)).toBe(39n << 12n);
    expect(lastOfTick(settings, 39, 5)).toBe((5n << 22n) | (39n << 12n) | 4095n);
  });
});
