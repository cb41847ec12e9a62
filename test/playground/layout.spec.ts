// The layout: presets, widths, epoch and tick, with the diagram and the capacity.

import { readFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { capacity, type PresetName } from "bitflake";
import { describe, expect, test } from "vitest";
import { button, described, drawn, field, figure, figures, marked, visit, widths } from "./visit.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { diagram } = (await import(pathToFileURL(`${root}docs/diagram.mjs`).href)) as {
  diagram(widths: object, id?: bigint): string;
};

/** The README's table of presets: name, bits, nodes, IDs a second. */
const presets = [
  ...readFileSync(`${root}README.md`, "utf8").matchAll(
    /^\| `(\w+)` \| `PRESET_\w+` \| ([\d ·]+) \| ([\d,]+) \| ([\d,]+) \|/gm,
  ),
].map(([, name, bits, nodes, rate]) => ({ name, bits: bits.replaceAll(" ", ""), nodes, rate }));

/** The rows of a text diagram, column by column. */
function columns(text: string): string[][] {
  const rows = text.split("\n").slice(1, -1);
  const cells = rows.map((row) => row.split("│").slice(1, -1));
  return cells[0].map((_, index) => cells.map((row) => row[index].trim()));
}

describe("a preset", () => {
  test("has a button for each line of the README's table", () => {
    expect(presets.length).toBe(6);
  });

  test.each(presets)(
    "$name sets the widths and shows their capacity",
    async ({ name, bits, nodes, rate }) => {
      const page = await visit();
      await button(page, name).click();
      expect(await widths(page)).toBe(bits);
      expect(await figures(page)).toEqual([
        nodes,
        rate,
        capacity(name as PresetName).expiresAt.split("T")[0],
      ]);
      expect(await page.locator("[aria-pressed=true]").allInnerTexts()).toEqual([`${name}\n${bits}`]);
    },
  );

  test("is no longer pressed once a width differs", async () => {
    const page = await visit();
    await field(page, "machine").fill("4");
    await field(page, "sequence").fill("13");
    expect(await page.locator("[aria-pressed=true]").count()).toBe(0);
    expect(await figure(page, "Nodes")).toBe("512");
  });
});

describe("the diagram", () => {
  test("at the start is that of the README", async () => {
    const page = await visit();
    const readme = /```text\n(┌.*?)\n```/s.exec(readFileSync(`${root}README.md`, "utf8"))?.[1] ?? "";
    expect((await drawn(page)).map((lines) => lines.slice(0, 3))).toEqual(columns(readme));
  });

  test.each([
    [
      [53, 0, 1, 9],
      ["bits 62–10", "bit 9", "bits 8–0"],
    ],
    [
      [1, 52, 10, 0],
      ["bit 62", "bits 61–10", "bits 9–0"],
    ],
    [
      [41, 0, 5, 7],
      ["bits 52–12", "bits 11–7", "bits 6–0"],
    ],
    [
      [10, 0, 0, 53],
      ["bits 62–53", "bits 52–0"],
    ],
  ])("of the widths %j has the fields of the text diagram", async (bits, ranges) => {
    const [timestampBits, datacenterBits, machineBits, sequenceBits] = bits;
    const layout = { timestampBits, datacenterBits, machineBits, sequenceBits };
    const page = await visit(`#${new URLSearchParams(Object.entries(layout).map(([k, v]) => [k, `${v}`]))}`);
    const without = columns(diagram(layout));
    const dots = bits.filter((width) => width > 0).map((width) => "·".repeat(width));
    expect(await drawn(page)).toEqual(without.map((column, index) => [...column, dots[index]]));
    expect((await drawn(page)).map(([, range]) => range)).toEqual(ranges);
    const id = 2n ** BigInt(bits.reduce((a, b) => a + b) - 1) - 1n;
    await field(page, "ID").fill(`${id}`);
    expect((await drawn(page)).map((lines) => lines.slice(0, 3))).toEqual(columns(diagram(layout, id)));
  });
});

describe("widths, epoch and tick", () => {
  test("can be typed", async () => {
    const page = await visit();
    const typed = { timestamp: 39, datacenter: 0, machine: 16, sequence: 8, "tick, in ms": 10 };
    for (const [label, value] of Object.entries(typed)) await field(page, label).fill(`${value}`);
    expect(await figures(page)).toEqual(["65,536", "25,600", "2194-03-18"]);
    await field(page, "epoch, in ms").fill("1288834974657");
    expect(await figure(page, "Timestamp full on")).toBe("2185-01-19");
    expect(await described(field(page, "epoch, in ms"))).toEqual(["2010-11-04 01:42:54.657 UTC"]);
  });

  test("show rates below one, and every digit of large figures", async () => {
    const slow = await visit("#timestampBits=41&sequenceBits=0&machineBits=17&tickMs=86400000");
    expect(await figure(slow, "IDs per second")).toBe("0.00001157");
    const fast = await visit("#timestampBits=10&datacenterBits=0&machineBits=0&sequenceBits=53");
    expect(await figure(fast, "IDs per second")).toBe("9,007,199,254,740,992,000");
    const wide = await visit("#timestampBits=1&datacenterBits=31&machineBits=31&sequenceBits=0");
    expect(await figure(wide, "Nodes")).toBe("4,611,686,018,427,387,904");
    const uneven = await visit("#tickMs=3");
    expect(await figure(uneven, "IDs per second")).toBe("1,365,333");
  });

  test("hide a node field of 0 bits, and generate without it", async () => {
    const page = await visit();
    await button(page, "single_dc").click();
    expect(await field(page, "datacenter ID").isVisible()).toBe(false);
    expect(await field(page, "machine ID").isVisible()).toBe(true);
    for (const label of ["machine", "datacenter"])
      await field(page, label).fill(label === "machine" ? "0" : "10");
    expect(await field(page, "datacenter ID").isVisible()).toBe(true);
    expect(await field(page, "machine ID").isVisible()).toBe(false);
    await button(page, "minimal").click();
    expect(await page.getByRole("group", { name: "Node of the generator" }).isVisible()).toBe(false);
    await button(page, "Generate").click();
    expect(await page.locator("#made li").count()).toBe(5);
    expect(await marked(page)).toEqual([]);
  });
});

describe("a bit more or less", () => {
  test("is moved from or to the timestamp, and for the timestamp from or to the sequence", async () => {
    const page = await visit();
    await button(page, "one bit more of machine").click();
    expect(await widths(page)).toBe("40·5·6·12");
    await button(page, "one bit less of timestamp").click();
    expect(await widths(page)).toBe("39·5·6·13");
    await field(page, "datacenter").press("ArrowDown");
    expect(await widths(page)).toBe("40·4·6·13");
    await field(page, "timestamp").press("ArrowUp");
    expect(await widths(page)).toBe("41·4·6·12");
    expect(await figure(page, "Nodes")).toBe("1,024");
    expect(await field(page, "timestamp").getAttribute("aria-valuenow")).toBe("41");
  });

  test("is not moved if the library would refuse the widths", async () => {
    const page = await visit();
    await button(page, "minimal").click();
    await field(page, "timestamp").press("ArrowUp");
    await button(page, "one bit less of machine").click();
    expect(await widths(page)).toBe("53·0·0·10");
    expect(await marked(page)).toEqual([]);
  });

  test("corrects a sum that is no layout", async () => {
    const page = await visit();
    await field(page, "machine").fill("6");
    expect(await figure(page, "Nodes")).toBe("");
    await button(page, "one bit less of sequence").click();
    expect(await widths(page)).toBe("41·5·6·11");
    expect(await figure(page, "Nodes")).toBe("2,048");
  });

  test("does not change a text that is not a number, in its own field and in others", async () => {
    const page = await visit();
    await field(page, "machine").fill("many");
    await field(page, "machine").press("ArrowUp");
    await field(page, "sequence").press("ArrowUp");
    expect(await widths(page)).toBe("41·5·many·13");
    await field(page, "machine").fill("");
    await field(page, "sequence").fill("17");
    await field(page, "sequence").press("ArrowDown");
    expect(await widths(page)).toBe("41·5··16");
  });
});
