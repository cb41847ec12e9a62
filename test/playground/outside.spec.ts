// Masked and scattered IDs in the page, as the library makes them.

import { masked, scatter } from "bitflake/mask";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { button, field, made, visit } from "./visit.ts";

const KEY = "2b7e151628aed2a6abf7158809cf4f3c";

/** Returns the texts of the section. */
async function outside(page: Page): Promise<string[]> {
  return page.locator("[data-outside]").allInnerTexts();
}

/** Returns the texts for an ID, by the library. */
function expected(id: bigint, bits: 63 | 53 = 63): string[] {
  const codecs = [
    masked(KEY, { name: "orders", bits }),
    masked(KEY, { name: "users", bits }),
    scatter({ shards: 16, bits }),
  ];
  return codecs.flatMap((codec) => [`${codec.encode(id)}`, `the next ID: ${codec.encode(id + 1n)}`]);
}

describe("masked and scattered", () => {
  test("are shown for the ID of the start", async () => {
    const page = await visit();
    expect(await page.getByRole("heading", { name: "Masked and scattered" }).isVisible()).toBe(true);
    expect(await outside(page)).toEqual(expected(911780371413233664n));
    expect((await outside(page))[0]).toBe("7284816827242867165");
  });

  test("follow a typed ID and a generated one", async () => {
    const page = await visit();
    await field(page, "ID").fill("175928847299117063");
    expect(await outside(page)).toEqual(expected(175928847299117063n));
    await button(page, "Generate").click();
    const [newest] = await made(page);
    expect(await outside(page)).toEqual(expected(BigInt(newest?.id ?? "")));
  });

  test("have 53 bits in a layout of 53", async () => {
    const page = await visit();
    await button(page, "safe_integer").click();
    await field(page, "ID").fill("8707044720639");
    const shown = await outside(page);
    expect(shown).toEqual(expected(8707044720639n, 53));
    expect(Number.isSafeInteger(Number(shown[0]))).toBe(true);
  });

  test("have no next ID at the last one", async () => {
    const page = await visit();
    await button(page, "safe_integer").click();
    await field(page, "ID").fill("9007199254740991");
    const [first, next] = await outside(page);
    expect(first).toBe(`${masked(KEY, { name: "orders", bits: 53 }).encode(9007199254740991n)}`);
    expect(next).toBe("It is the last ID.");
  });

  test("are empty without an ID of the layout, and the key is not in the address", async () => {
    const page = await visit();
    await field(page, "ID").fill("oops");
    expect(await outside(page)).toEqual(["", "", "", "", "", ""]);
    expect(page.url()).not.toContain(KEY);
  });
});
