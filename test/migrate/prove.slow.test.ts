// proveMigration against brute force on every pair of layouts of up to 16 bits, each with random nodes and times.

import { type NodeEntry, proveMigration } from "bitflake/migrate";
import { expect, test } from "vitest";
import { type FullSide, idsOf } from "./bruteForce.ts";

const MAX_BITS = 16;
/** In CI every eighth layout is an old one, beginning at a random one: all pairs take more than a minute. */
const STEP = process.env.CI ? 8 : 1;
const seed = Number(process.env.FC_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** Returns a generator of random whole numbers from 0 to `below` - 1: a linear congruential generator of 48 bits. */
function makeRandom(seed: number): (below: number) => number {
  let state = BigInt(seed);
  return (below) => {
    state = BigInt.asUintN(48, state * 0x5deece66dn + 11n);
    return Number((state >> 16n) % BigInt(below));
  };
}

/** The IDs of a side as a bitmap, with its smallest and largest ID. */
interface Counted {
  readonly side: FullSide;
  readonly bitmap: Uint32Array;
  readonly smallest: number;
  readonly largest: number;
}

/** Returns the layouts of up to 16 bits: each division into timestamp, node and sequence, in both orders. */
function* layouts() {
  for (let timestampBits = 1; timestampBits <= MAX_BITS; timestampBits++) {
    for (let nodeBits = 0; timestampBits + nodeBits <= MAX_BITS; nodeBits++) {
      for (let sequenceBits = 0; timestampBits + nodeBits + sequenceBits <= MAX_BITS; sequenceBits++) {
        yield { timestampBits, nodeBits, sequenceBits, isSequenceFirst: false };
        // With an empty field the order makes no difference.
        if (nodeBits > 0 && sequenceBits > 0)
          yield { timestampBits, nodeBits, sequenceBits, isSequenceFirst: true };
      }
    }
  }
}

/** Returns a side of a layout with random nodes and times, and its IDs as the brute force counts them. */
function randomSide(
  {
    timestampBits,
    nodeBits,
    sequenceBits,
    isSequenceFirst,
  }: ReturnType<typeof layouts> extends Generator<infer L> ? L : never,
  random: (below: number) => number,
): Counted {
  const datacenterBits = random(nodeBits + 1);
  const machineBits = nodeBits - datacenterBits;
  const nodes = Array.from({ length: 1 + random(3) }, (): NodeEntry => {
    const [a, b] = [random(2 ** nodeBits), random(2 ** nodeBits)];
    if (random(2) === 0) return a;
    return [Math.min(a, b), Math.max(a, b)];
  });
  const [a, b] = [random(2 ** timestampBits), random(2 ** timestampBits)];
  const widths = { timestampBits, datacenterBits, machineBits, sequenceBits };
  const scheme = { ...widths, isSequenceFirst, epochMs: 0, tickMs: 1 };
  const side = { scheme, nodes, since: Math.min(a, b), until: Math.max(a, b) + 1 };
  const bitmap = new Uint32Array(2 ** MAX_BITS / 32);
  let smallest = Number.POSITIVE_INFINITY;
  let largest = -1;
  for (const id of idsOf(side, 0)) {
    bitmap[id >>> 5] = (bitmap[id >>> 5] as number) | (1 << (id & 31));
    smallest = Math.min(smallest, id);
    largest = Math.max(largest, id);
  }
  return { side, bitmap, smallest, largest };
}

/** Returns the smallest ID that is in both bitmaps; -1 if there is none. */
function commonOf(a: Uint32Array, b: Uint32Array): number {
  for (let word = 0; word < a.length; word++) {
    const both = (a[word] as number) & (b[word] as number);
    if (both !== 0) return word * 32 + 31 - Math.clz32(both & -both);
  }
  return -1;
}

test("the verdict on pairs of layouts of up to 16 bits is that of brute force", () => {
  const random = makeRandom(seed);
  const all = [...layouts()];
  const start = random(STEP);
  const old = all.filter((_, i) => i % STEP === start).map((layout) => randomSide(layout, random));
  const fresh = all.map((layout) => randomSide(layout, random));
  const counts = { pairs: 0, collisions: 0, unordered: 0, ordered: 0 };
  const wrong: object[] = [];
  for (const from of old) {
    for (const to of fresh) {
      const verdict = proveMigration({ from: from.side, to: to.side, cutOver: 0, maxSkewMs: 0 });
      const common = commonOf(from.bitmap, to.bitmap);
      counts.pairs++;
      let isRight: boolean;
      if (!verdict.disjoint) {
        counts.collisions++;
        isRight = Number(verdict.pair.from.id) === common && Number(verdict.pair.to.id) === common;
      } else {
        if (verdict.ordered) counts.ordered++;
        else counts.unordered++;
        isRight =
          common === -1 &&
          verdict.ordered === to.smallest > from.largest &&
          Number(verdict.largestOld?.id) === from.largest &&
          Number(verdict.smallestNew?.id) === to.smallest;
      }
      if (!isRight && wrong.length < 5) wrong.push({ from: from.side, to: to.side, common, verdict });
    }
  }
  console.info(`layouts ${all.length}, seed ${seed}: ${JSON.stringify(counts)}`);
  expect(wrong).toEqual([]);
  // 816 divisions of up to 16 bits, 560 of them in a second order.
  expect([all.length, counts.pairs]).toEqual([1376, 1376 * (1376 / STEP)]);
  expect(Math.min(counts.collisions, counts.unordered, counts.ordered)).toBeGreaterThan(50_000 / STEP);
});
