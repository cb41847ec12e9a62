// Appearance at the widths of a phone and a desktop, in light and dark: nothing overflows, and every text is readable.
// Screenshots are in reports/playground.

import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
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

/** Returns the texts and edges of controls with too little contrast to their background. */
function lowContrast(): string[] {
  const channels = (color: string) => {
    const [r = 0, g = 0, b = 0, alpha = 1] = (color.match(/[\d.]+/g) ?? []).map(Number);
    if (!color.startsWith("rgb") || ![0, 1].includes(alpha)) throw new Error(`cannot measure ${color}`);
    return { rgb: [r, g, b], alpha };
  };
  const luminance = (color: string) => {
    const [r, g, b] = channels(color).rgb.map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one: string, other: string) => {
    const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const behind = (element: Element | null): string => {
    if (element === null) return "rgb(255, 255, 255)";
    const { backgroundColor } = getComputedStyle(element);
    return channels(backgroundColor).alpha === 1 ? backgroundColor : behind(element.parentElement);
  };
  const found: string[] = [];
  let measured = 0;
  const measure = (what: string, one: string, other: string, least: number) => {
    measured++;
    const ratio = contrast(one, other);
    if (ratio < least) found.push(`${what}: ${ratio.toFixed(2)}, ${one} on ${other}`);
  };
  for (const element of Array.from(document.body.querySelectorAll<HTMLElement>("*"))) {
    if (!element.checkVisibility()) continue;
    const { color, borderTopColor, borderTopWidth } = getComputedStyle(element);
    const own = Array.from(element.childNodes).some(
      (node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim(),
    );
    if (own || element.matches("input")) measure(element.outerHTML.slice(0, 60), color, behind(element), 4.5);
    if (element.matches("input") && Number.parseFloat(borderTopWidth) > 0)
      measure(`edge of ${element.id}`, borderTopColor, behind(element.parentElement), 3);
  }
  return measured < 50 ? [`only ${measured} measured`] : found;
}

/** Returns the elements that overflow the page sideways, and the controls that are too small to touch. */
function overflowing(): string[] {
  const { clientWidth, scrollWidth } = document.documentElement;
  const wide = scrollWidth > clientWidth ? [`${scrollWidth} px wide`] : [];
  const visible = Array.from(document.body.querySelectorAll("*")).filter((element) =>
    element.checkVisibility(),
  );
  const out = visible.filter((element) => {
    const { left, right } = element.getBoundingClientRect();
    return left < 0 || right > clientWidth + 0.5;
  });
  const small = visible.filter((element) => {
    const { width, height } = element.getBoundingClientRect();
    return element.matches("button, input") && (width < 40 || height < 40);
  });
  return [...wide, ...[...out, ...small].map((element) => element.outerHTML.slice(0, 80))];
}

describe.each([360, 1280])("at %d px", (width) => {
  describe.each(["light", "dark"] as const)("in %s", (colorScheme) => {
    test.each(Object.keys(STATES))("the state %s fits and is readable", async (name) => {
      const page = await visit("", { viewport: { width, height: 800 }, colorScheme });
      await STATES[name](page);
      expect(await page.evaluate(overflowing)).toEqual([]);
      expect(await page.evaluate(lowContrast)).toEqual([]);
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
    headings: ["H1", "H2", "H2", "H2", "H2"],
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
