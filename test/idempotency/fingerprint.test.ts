// fingerprint: digests of strings and bytes, and the values that it refuses.

import { afterEach, describe, expect, test, vi } from "vitest";
import { fingerprint, UnsupportedError } from "../../src/idempotency/index.ts";
import { errorOf } from "./fakePorts.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("fingerprint", () => {
  test("is the SHA-256 of bytes, or of a string in UTF-8", async () => {
    const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    expect(await fingerprint("")).toBe(empty);
    expect(await fingerprint(new Uint8Array(0))).toBe(empty);
    expect(await fingerprint("ü")).toBe(await fingerprint(new Uint8Array([0xc3, 0xbc])));
    expect(await fingerprint(new Uint8Array(8).subarray(2, 4))).toBe(await fingerprint("\0\0"));
    expect(await fingerprint(Buffer.from("abc"))).toBe(await fingerprint("abc"));
    // Shared memory, which the platform's digest refuses.
    expect(await fingerprint(new Uint8Array(new SharedArrayBuffer(2)))).toBe(await fingerprint("\0\0"));
  });

  test.each([["\ud800"], [undefined], [null], [5], [[1, 2]], [new ArrayBuffer(4)]])(
    "throws on %o",
    async (data) => {
      expect(await errorOf(fingerprint(data as unknown as string))).toMatchObject({
        code: "ERR_ARGUMENT",
        field: "data",
      });
    },
  );

  test("throws UnsupportedError without crypto.subtle", async () => {
    vi.stubGlobal("crypto", undefined);
    expect(await errorOf(fingerprint("x"))).toBeInstanceOf(UnsupportedError);
    vi.stubGlobal("crypto", {});
    expect(await errorOf(fingerprint("x"))).toMatchObject({ feature: "crypto.subtle" });
  });
});
