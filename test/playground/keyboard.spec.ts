// The page without a mouse: Tab reaches every control in reading order, with a visible focus, and every control works.

import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { field, fieldValues, made, visit, widths } from "./visit.ts";

/** Returns the name of the focused element, and whether its focus is visible. */
async function focus(page: Page) {
  return page.evaluate(() => {
    const element = document.activeElement as HTMLElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    const name =
      (element as HTMLInputElement).labels?.[0]?.textContent ?? element.firstChild?.textContent?.trim() ?? "";
    return { name, shows: outlineStyle === "solid" && Number.parseFloat(outlineWidth) >= 2 };
  });
}

/** Presses Tab until the element with a name has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 40; presses++) {
    await page.keyboard.press("Tab");
    if ((await focus(page)).name === name) return;
  }
  throw new Error(`Tab does not reach ${name}`);
}

test("Tab goes through all controls in reading order, with a visible focus", async () => {
  const page = await visit();
  const stops: string[] = [];
  for (let presses = 0; presses < 19; presses++) {
    await page.keyboard.press("Tab");
    const { name, shows } = await focus(page);
    expect(shows, name).toBe(true);
    stops.push(name);
  }
  const presets = ["twitter", "minimal", "single_dc", "large_cluster", "high_throughput", "safe_integer"];
  expect(stops).toEqual([
    ...["ID", "Generate", "Copy link", "one of Discord’s", "one of X’s (Twitter)"],
    ...presets,
    ...["timestamp", "datacenter", "machine", "sequence", "epoch, in ms", "tick, in ms"],
    ...["datacenter ID", "machine ID"],
  ]);
});

test("a layout is chosen, changed and used, and Enter in a field does not submit the form", async () => {
  const page = await visit();
  await tabTo(page, "safe_integer");
  await page.keyboard.press("Enter");
  expect(await widths(page)).toBe("41·0·5·7");
  await tabTo(page, "machine");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  expect(await widths(page)).toBe("39·0·7·7");
  expect((await focus(page)).name).toBe("machine");
  await tabTo(page, "machine ID");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("127");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Home");
  for (let back = 0; back < 40 && (await focus(page)).name !== "Generate"; back++)
    await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Space");
  expect(await fieldValues(page)).toMatchObject({ machine: "127" });
  expect((await focus(page)).name).toBe("Generate");
  const lines = await made(page);
  await tabTo(page, lines[4].id);
  await page.keyboard.press("Enter");
  await expect.poll(() => field(page, "ID").inputValue()).toBe(lines[4].id);
  await page.goBack();
  await expect.poll(() => field(page, "ID").inputValue()).toBe(lines[0].id);
});

test("arrow keys with a modifier keep their function in the browser", async () => {
  const page = await visit();
  await field(page, "machine").focus();
  for (const key of ["Alt+ArrowUp", "Control+ArrowUp", "Meta+ArrowDown"]) await page.keyboard.press(key);
  expect(await widths(page)).toBe("41·5·5·12");
});

test("a button that is held down counts once, so it does not flood the history", async () => {
  const page = await visit();
  await tabTo(page, "Generate");
  for (let repeats = 0; repeats < 300; repeats++) await page.keyboard.down("Enter");
  await page.keyboard.up("Enter");
  expect((await made(page)).length).toBe(5);
});
