// Invalid input of each kind: the library's error at its field, no result, and no error after the correction.

import { capacity, decode, makeGenerator, PRESET_TWITTER } from "bitflake";
import { describe, expect, test } from "vitest";
import { button, described, drawn, field, figures, made, marked, refusal, visit } from "./visit.ts";

const LABELS = {
  timestampBits: "timestamp",
  datacenterBits: "datacenter",
  machineBits: "machine",
  sequenceBits: "sequence",
  epochMs: "epoch, in ms",
  tickMs: "tick, in ms",
} as const;

/** Texts that are not whole numbers, with the values that the library gets. */
const NO_NUMBERS: [text: string, value: unknown][] = [
  ["", ""],
  ["   ", ""],
  ["abc", "abc"],
  ["4.5", 4.5],
  ["-1e2", "-1e2"],
  ["1e3", "1e3"],
  ["0x10", "0x10"],
  ["041", "041"],
  ["4_1", "4_1"],
  ["٤١", "٤١"],
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["1e+21", 1e21],
  ["9007199254740993", "9007199254740993"],
  ["<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"],
  ["9".repeat(5000), "9".repeat(5000)],
];

const cases = (Object.keys(LABELS) as (keyof typeof LABELS)[]).flatMap((option) => {
  const beyond: [string, unknown][] = option.endsWith("Bits")
    ? [
        ["54", 54],
        ["-1", -1],
      ]
    : [["9000000000000000", 9e15]];
  const tooSmall: [string, unknown][] =
    option === "tickMs" || option === "timestampBits"
      ? [["0", 0]]
      : option === "epochMs"
        ? [["-200000000000000", -2e14]]
        : [];
  return [...NO_NUMBERS, ...beyond, ...tooSmall].map(([text, value]) => ({ option, text, value }));
});

describe("an option of the layout", () => {
  test.each(Object.keys(LABELS) as (keyof typeof LABELS)[])(
    "%s shows the library's error for each invalid text",
    async (option) => {
      const page = await visit();
      const input = field(page, LABELS[option]);
      const [before, good] = [await figures(page), await input.inputValue()];
      for (const { text, value } of cases.filter((one) => one.option === option)) {
        await input.fill(text);
        expect(await described(input), text.slice(0, 80)).toEqual([
          refusal(() => capacity({ [option]: value })),
        ]);
        expect(await marked(page)).toEqual([LABELS[option]]);
        expect(await figures(page)).toEqual(["", "", ""]);
        expect(await drawn(page)).toEqual([["No layout: correct the marked fields."]]);
      }
      await input.fill(good);
      expect(await marked(page)).toEqual([]);
      expect(await figures(page)).toEqual(before);
    },
  );

  test("that is invalid is marked beside others, without an error about their sum", async () => {
    const page = await visit();
    await field(page, "timestamp").fill("54");
    await field(page, "machine").fill("x");
    await field(page, "tick, in ms").fill("0");
    await field(page, "ID").fill("0x10");
    expect(await marked(page)).toEqual(["ID", "timestamp", "machine", "tick, in ms"]);
    expect(await page.locator("#layout-fault").textContent()).toBe("");
  });
});

test.each([
  ["6", 64],
  ["0", 58],
])("a machine width of %s is no layout, and the error is at the widths", async (machine, sum) => {
  const page = await visit();
  await field(page, "machine").fill(machine);
  const message = refusal(() => capacity({ ...PRESET_TWITTER, machineBits: Number(machine) }));
  expect(message).toContain(`got ${sum}`);
  expect((await described(page.getByRole("group", { name: "Bits" })))[0]).toBe(message);
  expect(await figures(page)).toEqual(["", "", ""]);
  expect(await marked(page)).toEqual([]);
});

describe("an ID", () => {
  test.each([
    "abc",
    "042",
    "0x10",
    "-1",
    "+1",
    "1e3",
    "1 2",
    "1n",
    "1.0",
    "9223372036854775808",
    "9".repeat(70),
  ])("%s is refused with the library's error", async (text) => {
    const page = await visit();
    await field(page, "ID").fill(text);
    expect((await described(field(page, "ID")))[0]).toBe(refusal(() => decode(text, "twitter")));
    expect(await marked(page)).toEqual(["ID"]);
    // The layout is drawn without an ID.
    expect((await drawn(page)).map((lines) => lines[2].replaceAll("·", ""))).toEqual(["", "", "", ""]);
    expect((await drawn(page)).map((lines) => lines.length)).toEqual([3, 3, 3, 3]);
    expect((await figures(page))[0]).toBe("1,024");
  });

  test("of 63 bits is refused in a layout of 53", async () => {
    const page = await visit();
    await button(page, "safe_integer").click();
    const message = refusal(() => decode("911780371413233664", "safe_integer"));
    expect((await described(field(page, "ID")))[0]).toBe(message);
    await field(page, "ID").fill("9007199254740991");
    expect(await marked(page)).toEqual([]);
  });

  test("is validated by itself while the layout is invalid", async () => {
    const page = await visit();
    await field(page, "sequence").fill("");
    expect(await marked(page)).toEqual(["sequence"]);
    await field(page, "ID").fill("");
    expect(await marked(page)).toEqual(["sequence"]);
    await field(page, "ID").fill("x");
    expect(await marked(page)).toEqual(["ID", "sequence"]);
  });
});

describe("an option that only a generator refuses", () => {
  test.each([
    ["datacenter ID", "datacenterId", "32", 32],
    ["machine ID", "machineId", "32", 32],
    ["machine ID", "machineId", "-1", -1],
    ["machine ID", "machineId", "", ""],
    ["machine ID", "machineId", "seven", "seven"],
  ])("is marked, and Generate shows its error: %s, %s = %j", async (label, option, text, value) => {
    const page = await visit();
    await field(page, label).fill(text);
    const message = refusal(() => makeGenerator("twitter", { [option]: value }));
    expect(await described(field(page, label))).toEqual([message]);
    expect(await marked(page)).toEqual([label]);
    await button(page, "Generate").click();
    expect(await page.getByRole("status").allInnerTexts()).toContain(message);
    expect(await made(page)).toEqual([]);
    // The results that do not depend on it stay.
    expect((await figures(page))[0]).toBe("1,024");
    expect((await drawn(page))[2]).toEqual(["machine", "bits 16–12", "00111", "7"]);
  });

  test("is marked beside an epoch in the future", async () => {
    const page = await visit();
    await field(page, "machine ID").fill("99");
    await field(page, "datacenter ID").fill("99");
    const epochMs = Date.now() + 86_400_000;
    await field(page, "epoch, in ms").fill(`${epochMs}`);
    expect(await described(field(page, "epoch, in ms"))).toEqual([
      expect.stringMatching(new RegExp(`^the clock reads \\d+, before the epoch ${epochMs}$`)),
    ]);
    expect(await marked(page)).toEqual(["epoch, in ms", "datacenter ID", "machine ID"]);
  });

  test("can be a full timestamp field", async () => {
    const page = await visit();
    await field(page, "epoch, in ms").fill("0");
    await field(page, "timestamp").fill("40");
    await field(page, "sequence").fill("13");
    expect((await figures(page))[2]).toBe("2004-11-03");
    await button(page, "Generate").click();
    const [status] = await page.getByRole("status").allInnerTexts();
    expect(status).toMatch(/^at \d+ the next ID needs tick \d+, but the last tick is 1099511627775$/);
    expect(await made(page)).toEqual([]);
    expect(await field(page, "ID").inputValue()).toBe("911780371413233664");
  });

  test("can be an exhausted sequence, which is reported without waiting for the next tick", async () => {
    const page = await visit(
      "#timestampBits=41&datacenterBits=5&machineBits=16&sequenceBits=1&tickMs=86400000",
    );
    await button(page, "Generate").click();
    const full = /^tick \d+ is full, and the next one can be used in \d+ ms$/;
    expect((await page.getByRole("status").allInnerTexts())[0]).toMatch(full);
    const two = await made(page);
    expect(two.map(({ line }) => line.slice(-10))).toEqual(["sequence 1", "sequence 0"]);
    expect(await field(page, "ID").inputValue()).toBe(two[0].id);
    await button(page, "Generate").click();
    expect((await page.getByRole("status").allInnerTexts())[0]).toMatch(full);
    expect(await made(page)).toEqual(two);
    // Five IDs would take a wait of two ticks, which would block the page.
    await field(page, "tick, in ms").fill("1000");
    await button(page, "Generate").click();
    expect((await page.getByRole("status").allInnerTexts())[0]).toMatch(full);
    expect((await made(page)).length).toBeLessThan(7);
  });
});

test("Generate without a layout shows the reason", async () => {
  const page = await visit();
  await field(page, "tick, in ms").fill("never");
  await button(page, "Generate").click();
  expect(await page.getByRole("status").allInnerTexts()).toContain(
    refusal(() => capacity({ tickMs: "never" as never })),
  );
});
