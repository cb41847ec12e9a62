// State in the address: a link restores the page, and Back and Forward go through its states.

import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { button, drawn, field, figures, follow, home, marked, visit, widths } from "./visit.ts";

/** Returns the visible state of the page. */
async function state(page: Page) {
  const typed = await page
    .locator("input")
    .evaluateAll((inputs) => inputs.map((one) => (one as HTMLInputElement).value));
  const faults = await page.locator(".fault").allTextContents();
  return { typed, faults, figures: await figures(page), drawn: await drawn(page) };
}

const clipboard = { permissions: ["clipboard-read", "clipboard-write"] };

/** Presses Copy link. Returns the clipboard. */
async function copied(page: Page): Promise<string> {
  await button(page, "Copy link").click();
  await page.getByText("Copied.").waitFor();
  return page.evaluate(() => navigator.clipboard.readText());
}

describe("a link", () => {
  test("restores valid values of every field in a new window", async () => {
    const page = await visit("", clipboard);
    const typed = {
      timestamp: "39",
      datacenter: "4",
      machine: "12",
      sequence: "8",
      "epoch, in ms": "1420070400000",
      "tick, in ms": "10",
      "datacenter ID": "15",
      "machine ID": "4095",
      ID: "175928847299117063",
    };
    for (const [label, value] of Object.entries(typed)) await field(page, label).fill(value);
    const link = await copied(page);
    expect(link).toBe(page.url());
    const opened = await visit(link);
    expect(await state(opened)).toEqual(await state(page));
    for (const [label, value] of Object.entries(typed))
      expect(await field(opened, label).inputValue()).toBe(value);
    expect(await marked(opened)).toEqual([]);
  });

  test("restores invalid values of every field in a new window", async () => {
    const page = await visit("", clipboard);
    const bad = 'a&b=c #%20+"<>é·';
    for (const input of await page.locator("input").all()) await input.fill(bad);
    const opened = await visit(await copied(page));
    expect(await state(opened)).toEqual(await state(page));
    expect((await state(opened)).typed).toEqual(Array(9).fill(bad));
  });

  test("contains every field, also at the start, and copying it again adds no entry to the history", async () => {
    const page = await visit("", clipboard);
    const link = await copied(page);
    expect(link).toContain(
      "#timestampBits=41&datacenterBits=5&machineBits=5&sequenceBits=12&epochMs=1577836800000",
    );
    expect(link).toContain("&tickMs=1&datacenterId=1&machineId=7&id=911780371413233664");
    await button(page, "minimal").click();
    const steps = await page.evaluate(() => history.length);
    await copied(page);
    expect(await page.evaluate(() => history.length)).toBe(steps);
  });

  test("of a generated ID decodes it in a new window", async () => {
    const page = await visit("", clipboard);
    await button(page, "Generate").click();
    expect(await state(await visit(await copied(page)))).toEqual(await state(page));
  });

  test("can leave fields out: they have their defaults, and the ID is empty", async () => {
    const page = await visit("#machineBits=6&sequenceBits=11");
    expect(await widths(page)).toBe("41·5·6·11");
    expect(await field(page, "ID").inputValue()).toBe("");
    expect(await marked(page)).toEqual([]);
  });

  test.each([
    "#",
    "#nothing",
    "#%E0%A4%A",
    "#=&&=",
    "#id=%00",
    "#__proto__=1&constructor=2",
    "?x#<script>alert(1)</script>",
  ])("%s opens the default layout", async (link) => {
    const page = await visit(link);
    expect(await widths(page)).toBe("41·5·5·12");
    expect((await figures(page))[0]).toBe("1,024");
  });

  test("is in the address bar after a change, and not before", async () => {
    const page = await visit();
    expect(page.url()).toBe(home());
    await button(page, "minimal").click();
    expect(page.url()).toContain("#timestampBits=53&datacenterBits=0&machineBits=0&sequenceBits=10&");
    await page.reload();
    expect(await widths(page)).toBe("53·0·0·10");
  });

  test("can be edited in the address bar", async () => {
    const page = await visit("#machineBits=5");
    await page.evaluate(() => {
      location.hash = "#machineBits=4&sequenceBits=13";
    });
    await expect.poll(() => widths(page)).toBe("41·5·4·13");
  });

  test("is left to the address bar if the browser has no clipboard", async () => {
    const page = await visit(home().replace("127.0.0.1", "insecure.test"));
    await button(page, "large_cluster").click();
    await button(page, "Copy link").click();
    await page.getByText("Copy it from the address bar.").waitFor();
    expect(page.url()).toContain("datacenterBits=8");
  });
});

describe("Back and Forward", () => {
  test("go through presets, examples and typed values", async () => {
    const page = await visit();
    const seen = [await state(page)];
    await button(page, "minimal").click();
    seen.push(await state(page));
    await follow(page, "one of Discord’s");
    seen.push(await state(page));
    await field(page, "epoch, in ms").fill("soon");
    await field(page, "epoch, in ms").press("Enter");
    seen.push(await state(page));
    await button(page, "Generate").click();
    await button(page, "single_dc").click();
    seen.push(await state(page));
    expect(new Set(seen.map((one) => JSON.stringify(one))).size).toBe(5);
    for (const index of [3, 2, 1, 0]) {
      await page.goBack();
      await expect.poll(() => state(page)).toEqual(seen[index]);
    }
    expect(page.url()).toBe(home());
    for (const index of [1, 2, 3, 4]) {
      await page.goForward();
      await expect.poll(() => state(page)).toEqual(seen[index]);
    }
  });

  test("take consecutive changes of one field as one step, and changes of two fields as two", async () => {
    const page = await visit();
    for (let presses = 0; presses < 4; presses++) await field(page, "machine").press("ArrowUp");
    await button(page, "one bit more of sequence").click();
    expect(await widths(page)).toBe("36·5·9·13");
    await page.goBack();
    await expect.poll(() => widths(page)).toBe("37·5·9·12");
    await page.goBack();
    await expect.poll(() => widths(page)).toBe("41·5·5·12");
    // A change of the same field after Back is a new step, so it does not overwrite the restored entry.
    await field(page, "sequence").press("ArrowUp");
    await page.goBack();
    await expect.poll(() => widths(page)).toBe("41·5·5·12");
  });
});
