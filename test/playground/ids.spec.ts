// Generated and decoded IDs: examples of platforms, pasted IDs, and IDs of the page.

import { decode } from "bitflake";
import { describe, expect, test } from "vitest";
import { button, field, fieldValues, follow, made, marked, visit, widths } from "./visit.ts";

/** Discord's documented example, and the post that the X API's own documentation shows (made 2019-12-31T19:26:16). */
const EXAMPLES = [
  {
    link: "one of Discord’s",
    id: "175928847299117063",
    epochMs: "1420070400000",
    fields: { timestamp: "2016-04-30T11:18:25.796Z", datacenter: "1", machine: "0", sequence: "7" },
  },
  {
    link: "one of X’s (Twitter)",
    id: "1212092628029698048",
    epochMs: "1288834974657",
    fields: { timestamp: "2019-12-31T19:26:16.771Z", datacenter: "10", machine: "7", sequence: "0" },
  },
];

describe.each(EXAMPLES)("$link", ({ link, id, epochMs, fields }) => {
  test("is decoded by a click, from any layout", async () => {
    const page = await visit(
      "#timestampBits=53&datacenterBits=0&machineBits=0&sequenceBits=oops&tickMs=9&epochMs=1",
    );
    await follow(page, link);
    expect(await fieldValues(page)).toEqual(fields);
    expect(await widths(page)).toBe("41·5·5·12");
    expect(await field(page, "ID").inputValue()).toBe(id);
    expect(await field(page, "epoch, in ms").inputValue()).toBe(epochMs);
    expect(await marked(page)).toEqual([]);
  });

  test("is decoded with the preset, the epoch, and the ID pasted with spaces around it", async () => {
    const page = await visit("#timestampBits=53&datacenterBits=0&machineBits=0&sequenceBits=10", {
      permissions: ["clipboard-read", "clipboard-write"],
    });
    await button(page, "twitter").click();
    await field(page, "epoch, in ms").pressSequentially("x");
    await field(page, "epoch, in ms").fill(epochMs);
    await page.evaluate((text) => navigator.clipboard.writeText(text), `  ${id}\n`);
    await field(page, "ID").focus();
    await page.keyboard.press("Control+V");
    expect(await fieldValues(page)).toEqual(fields);
  });
});

test("the same ID has another time with another epoch", async () => {
  const page = await visit();
  await field(page, "ID").fill("175928847299117063");
  expect((await fieldValues(page))["timestamp"]).toBe(decode("175928847299117063", "twitter").generatedAt);
});

describe("Generate", () => {
  test("generates five IDs, newest first, and decodes the newest", async () => {
    const page = await visit();
    await field(page, "datacenter ID").fill("3");
    await field(page, "machine ID").fill("31");
    const from = Date.now();
    await button(page, "Generate").click();
    const lines = await made(page);
    const till = Date.now();
    expect(lines.length).toBe(5);
    const ids = lines.map(({ id }) => BigInt(id));
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => (a < b ? 1 : -1)));
    for (const { id, line } of lines) {
      const { generatedAt, timestampMs, datacenterId, machineId, sequence } = decode(id, "twitter");
      expect([datacenterId, machineId]).toEqual([3, 31]);
      expect(timestampMs).toBeGreaterThanOrEqual(from);
      expect(timestampMs).toBeLessThanOrEqual(till);
      expect(line).toBe(`timestamp ${generatedAt} datacenter 3 machine 31 sequence ${sequence}`);
    }
    expect(await field(page, "ID").inputValue()).toBe(lines[0].id);
    const { generatedAt, sequence } = decode(ids[0], "twitter");
    expect(await fieldValues(page)).toEqual({
      timestamp: generatedAt,
      datacenter: "3",
      machine: "31",
      sequence: `${sequence}`,
    });
    expect((await page.getByRole("status").allInnerTexts())[0]).toBe("5 generated; the newest is above.");
  });

  test("generates increasing IDs, also after the layout was changed and changed back, and keeps the last ten", async () => {
    const page = await visit();
    await button(page, "Generate").click();
    const [first] = await made(page);
    await button(page, "safe_integer").click();
    await button(page, "Generate").click();
    const [small] = await made(page);
    expect(BigInt(small.id)).toBeLessThan(2n ** 53n);
    await button(page, "twitter").click();
    await button(page, "Generate").click();
    const lines = await made(page);
    expect(lines.length).toBe(10);
    expect(lines[5]).toEqual(small);
    expect(BigInt(lines[4].id)).toBeGreaterThan(BigInt(first.id));
  });

  test("uses the current epoch and tick", async () => {
    const page = await visit("#epochMs=1420070400000&tickMs=10&datacenterId=0&machineId=0");
    await button(page, "Generate").click();
    const [{ line }] = await made(page);
    const at = Date.parse(line.split(" ")[1]);
    expect(at % 10).toBe(0);
    expect(Math.abs(Date.now() - at)).toBeLessThan(60_000);
  });

  test("links each line to its ID in its layout", async () => {
    const page = await visit();
    await button(page, "large_cluster").click();
    await button(page, "Generate").click();
    const lines = await made(page);
    await button(page, "twitter").click();
    await follow(page, lines[3].id);
    expect(await widths(page)).toBe("41·8·8·6");
    expect(await field(page, "ID").inputValue()).toBe(lines[3].id);
    expect((await fieldValues(page))["sequence"]).toBe(`${decode(lines[3].id, "large_cluster").sequence}`);
  });
});
