// Appearance at the widths of a phone and a desktop, in light and dark: nothing overflows, and every text is readable.
// Screenshots are in reports/playground.

import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { lowContrast } from "./contrast.ts";
import { overflowing } from "./overflowing.ts";
import { button, field, visit } from "./visit.ts";

const pictures = fileURLToPath(new URL("../../reports/playground/", import.meta.url));

/** States that show every part of the page, and its widest content. */
const STATES: Record<string, (page: Page) => Promise<void>> = {
  start: async () => {},
  made: async (page) => {
    for (const preset of ["safe_integer", "twitter"]) {
      await button(page, preset).click();
      await button(page, "Generate").click();
    }
    await button(page, "Copy link").hover();
  },
  minimal: async (page) => {
    await button(page, "minimal").click();
    await field(page, "ID").fill("");
  },
  faults: async (page) => {
    for (const input of await page.locator("input").all()) await input.fill("9".repeat(70));
  },
  "node faults": async (page) => {
    await field(page, "epoch, in ms").fill("8640000000000000");
    await field(page, "machine ID").fill("9007199254740991");
    await field(page, "datacenter ID").fill("-9007199254740991");
    await button(page, "Generate").click();
  },
  "large figures": async (page) => {
    const values = {
      timestamp: "1",
      datacenter: "31",
      machine: "31",
      sequence: "0",
      "epoch, in ms": "-99999999999999",
    };
    for (const [label, value] of Object.entries(values)) await field(page, label).fill(value);
    await field(page, "ID").fill("9223372036854775807");
  },
};

describe.each([360, 1280])("at %d px", (width) => {
  describe.each(["light", "dark"] as const)("in %s", (colorScheme) => {
    test.each(Object.keys(STATES))("the state %s fits and is readable", async (name) => {
      const page = await visit("", { viewport: { width, height: 800 }, colorScheme });
      await STATES[name](page);
      expect(await page.evaluate(overflowing)).toEqual([]);
      expect(await page.evaluate(lowContrast, 50)).toEqual([]);
      const path = `${pictures}${name.replace(" ", "-")}-${width}-${colorScheme}.png`;
      await page.screenshot({ path, fullPage: true });
    });

    test("the focus is visible", async () => {
      const page = await visit("", { viewport: { width, height: 800 }, colorScheme });
      await page.keyboard.press("Tab");
      const { outlineColor, background } = await page.evaluate(() => ({
        outlineColor: getComputedStyle(document.activeElement ?? document.body).outlineColor,
        background: getComputedStyle(document.body).backgroundColor,
      }));
      expect([outlineColor, background]).toEqual(
        colorScheme === "light"
          ? ["rgb(26, 95, 180)", "rgb(252, 251, 249)"]
          : ["rgb(142, 193, 255)", "rgb(21, 21, 19)"],
      );
    });
  });
});

test("the four fields have four colors, the same in the diagram, the widths and the list", async () => {
  const page = await visit();
  await button(page, "Generate").click();
  const seen = await page.evaluate(() =>
    ["timestamp", "datacenter", "machine", "sequence"].map((name) => {
      const color = (selector: string) =>
        getComputedStyle(document.querySelector(selector) as Element).backgroundColor;
      return [color(`#bits .${name}`), color(`.fields .${name} input`), color(`#made .${name}`)];
    }),
  );
  for (const [one, ...others] of seen) expect(others).toEqual([one, one]);
  expect(new Set(seen.map(([one]) => one)).size).toBe(4);
});

test("the document has a language, a title, one main heading, and a label for each field", async () => {
  const page = await visit();
  const outline = await page.evaluate(() => ({
    lang: document.documentElement.lang,
    title: document.title,
    headings: Array.from(document.querySelectorAll("h1, h2, h3")).map((heading) => heading.tagName),
    landmarks: document.querySelectorAll("main").length,
    nameless: Array.from(document.querySelectorAll("input")).filter(({ labels }) => labels?.length !== 1)
      .length,
    mute: Array.from(document.querySelectorAll("[aria-live], [role=status]")).filter(
      (region) => !region.checkVisibility(),
    ).length,
    twice: Array.from(document.querySelectorAll("[id]")).filter(
      ({ id }) => document.querySelectorAll(`[id="${id}"]`).length > 1,
    ).length,
  }));
  expect(outline).toEqual({
    lang: "en",
    title: "bitflake playground",
    headings: ["H1", "H2", "H2", "H2", "H2", "H2"],
    landmarks: 1,
    nameless: 0,
    mute: 0,
    twice: 0,
  });
});

test("live regions change with their results, and not otherwise", async () => {
  const page = await visit();
  await page.evaluate(() => {
    const changed = new Set<string>();
    Reflect.set(window, "changed", changed);
    for (const region of Array.from(document.querySelectorAll("[aria-live], [role=status]")))
      new MutationObserver(() =>
        changed.add(region.id || (region as HTMLElement).dataset["figure"] || "?"),
      ).observe(region, { childList: true, subtree: true, characterData: true });
  });
  const changed = async () =>
    page.evaluate(() => [...(Reflect.get(window, "changed") as Set<string>)].sort());
  await field(page, "machine ID").fill("8");
  expect(await changed()).toEqual([]);
  await field(page, "tick, in ms").fill("2");
  expect(await changed()).toEqual(["bits", "end", "rate"]);
  await field(page, "tick, in ms").fill("");
  expect(await changed()).toEqual(["bits", "end", "nodes", "rate", "tickMs-fault"]);
});
