// Random numbers: stubs of crypto that are refused, batches that end with the event-loop turn, and tokens.

import { afterEach, describe, expect, test, vi } from "vitest";
import { randomString, UnsupportedError, uuid, uuidv7 } from "../../src/index.ts";
import { freshToken } from "../../src/internal.ts";

type Fill = (bytes: Uint8Array) => unknown;

const nextTurn = () => new Promise((wake) => setImmediate(wake));
/** Replaces the runtime's `crypto` by a stub with this `getRandomValues` and without `randomUUID`. */
const stub = (getRandomValues: Fill) => vi.stubGlobal("crypto", { getRandomValues });
/** Installs a stub that counts the bytes it is requested for. */
function countBytes(): { bytes: number } {
  const requested = { bytes: 0 };
  const sound = crypto.getRandomValues.bind(crypto);
  stub((bytes) => {
    requested.bytes += bytes.length;
    return sound(bytes as Uint8Array<ArrayBuffer>);
  });
  return requested;
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const CALLS: readonly (readonly [string, () => string])[] = [
  ["uuid", uuid],
  ["uuidv7", uuidv7],
  ["randomString", randomString],
  ["freshToken", freshToken],
];

const cause = new Error("Disallowed operation called within global scope");
const sequence: Fill = (bytes) => bytes.map((_, at) => (at * 37 + (at >> 8)) & 255);
const STUBS: readonly (readonly [string, Fill, object])[] = [
  ["returns its argument as it is", (bytes) => bytes, { feature: "fair randomness" }],
  ["writes 7 into all bytes", (bytes) => bytes.fill(7), { feature: "fair randomness" }],
  ["writes 255 into all bytes", (bytes) => bytes.fill(255), { feature: "fair randomness" }],
  [
    "fills all but the last 16 bytes",
    (bytes) => {
      bytes.set((sequence(bytes) as Uint8Array).subarray(0, -16));
      return bytes;
    },
    { feature: "fair randomness" },
  ],
  ["returns nothing", () => undefined, { feature: "crypto.getRandomValues that returns its array" }],
  ["returns a plain array", (bytes) => Array.from(bytes), { feature: expect.stringContaining("array") }],
  ["returns fewer bytes", (bytes) => bytes.subarray(1), { feature: expect.stringContaining("array") }],
  [
    "returns larger elements",
    (bytes) => new Uint16Array(bytes.length),
    { feature: expect.stringContaining("array") },
  ],
  [
    "throws",
    () => {
      throw cause;
    },
    { feature: "randomness here", cause },
  ],
];

describe.each(CALLS)("%s", (_name, draw) => {
  test.each(STUBS)(
    "throws when getRandomValues %s, and works again afterwards",
    async (_title, fill, facts) => {
      stub(fill);
      for (let i = 0; i < 3; i++) {
        expect(draw).toThrow(UnsupportedError);
        expect(draw).toThrow(expect.objectContaining({ code: "ERR_UNSUPPORTED", ...facts }));
      }
      vi.unstubAllGlobals();
      expect(draw()).not.toBe(draw());
      await nextTurn();
    },
  );

  test("requests bytes, so that a stub that fills one byte of each element fills all", () => {
    const types = new Set<string>();
    const seen: string[] = [];
    stub((elements) => {
      types.add({}.toString.call(elements));
      for (let at = 0; at < elements.length; at++) elements[at] = 1 + Math.floor(Math.random() * 255);
      return elements;
    });
    for (let i = 0; i < 2000; i++) seen.push(draw());
    expect([...types]).toEqual(["[object Uint8Array]"]);
    expect(new Set(seen).size).toBe(2000);
  });

  test("uses the returned array", () => {
    stub((bytes) => {
      const own = bytes.map(() => 0x11);
      own[0] = 0x12;
      for (let at = 16; at < own.length; at += 16) own[at] = 0x12;
      return own;
    });
    // The argument's bytes stay zeros, which would be refused.
    expect(draw()).not.toBe("");
  });

  test("accepts an array with an odd offset in its buffer", () => {
    const sound = crypto.getRandomValues.bind(crypto);
    stub((bytes) => sound(new Uint8Array(bytes.length + 1)).subarray(1));
    expect(new Set(Array.from({ length: 1000 }, () => draw())).size).toBe(1000);
  });

  test("does not use randomUUID, which a test may have replaced with a constant", () => {
    vi.stubGlobal("crypto", {
      getRandomValues: crypto.getRandomValues.bind(crypto),
      randomUUID: () => "00000000-0000-4000-8000-000000000000",
    });
    expect(draw()).not.toBe(draw());
  });

  test("throws UnsupportedError without crypto", () => {
    vi.stubGlobal("crypto", undefined);
    expect(draw).toThrow(expect.objectContaining({ code: "ERR_UNSUPPORTED", feature: "crypto" }));
  });
});

describe("a batch", () => {
  test("is dropped at the end of the turn, and the next turn draws again", async () => {
    const requested = countBytes();
    uuid();
    uuid();
    expect(requested.bytes).toBe(256);
    await nextTurn();
    uuid();
    expect(requested.bytes).toBe(512);
    await null;
    await null;
    randomString();
    expect(requested.bytes).toBe(768);
  });

  test("grows within a turn, so that many draws cost few calls of crypto", () => {
    const requested = countBytes();
    const sizes: number[] = [];
    for (let i = 0; i < 4000; i++) {
      const before = requested.bytes;
      uuid();
      if (requested.bytes > before) sizes.push(requested.bytes - before);
    }
    expect(sizes).toEqual([256, 1024, 4096, 16_384, 16_384, 16_384, 16_384]);
  });

  test("uses each byte once, and 16 consecutive bytes for a UUID", () => {
    let next = 0;
    stub((bytes) => bytes.map(() => next++));
    const digits = Array.from({ length: 1000 }, uuid)
      .map((text) => text.replaceAll("-", ""))
      .map((text) => Number.parseInt(text.slice(0, 2), 16));
    digits.forEach((first, at) => void expect(first).toBe((at * 16) % 256));
  });

  test("is dropped at the end of the turn also under fake timers, without a timer", async () => {
    vi.useFakeTimers({
      toFake: ["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "Date"],
    });
    const requested = countBytes();
    uuid();
    expect(vi.getTimerCount()).toBe(0);
    await null;
    uuid();
    expect(requested.bytes).toBe(512);
    const first = uuidv7();
    expect(uuidv7() > first).toBe(true);
  });

  test("that is refused leaves the rest of the batch before it usable", () => {
    const requested = countBytes();
    for (let i = 0; i < 16; i++) uuid();
    expect(requested.bytes).toBe(256);
    vi.unstubAllGlobals();
    stub((bytes) => bytes);
    expect(() => uuid()).toThrow(UnsupportedError);
    vi.unstubAllGlobals();
    expect(uuid()).not.toBe(uuid());
  });
});

describe("freshToken", () => {
  test("is 128 random bits as 32 hexadecimal digits", () => {
    const many = Array.from({ length: 2000 }, freshToken);
    for (const each of many) expect(each).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(many).size).toBe(2000);
    const bits = many.map((each) => BigInt(`0x${each}`));
    expect(bits.reduce((a, b) => a | b)).toBe(2n ** 128n - 1n);
    expect(bits.reduce((a, b) => a & b)).toBe(0n);
  });

  test("is drawn at the call, not from a batch", () => {
    const requested = countBytes();
    uuid();
    const before = requested.bytes;
    freshToken();
    expect(requested.bytes).toBe(before + 16);
    freshToken();
    expect(requested.bytes).toBe(before + 32);
  });
});
