// The formats of a pasted ID besides the chosen layout, with the time of each.

import { expect, test } from "vitest";
import { button, field, follow, visit } from "./visit.ts";

const NAME = "Other formats of this ID";

test("an ID of Discord in another layout may also be one of Discord, with its time", async () => {
  const page = await visit();
  const origins = page.getByRole("region", { name: NAME });
  expect(await origins.isVisible()).toBe(false);
  await field(page, "ID").fill("334385199974967042");
  expect(await origins.getByRole("listitem").allInnerTexts()).toContainEqual(
    expect.stringMatching(/^Instagram, made .*2012/),
  );
  await field(page, "ID").fill(" 1402390388030832792 ");
  const [first = ""] = await origins.getByRole("listitem").allInnerTexts();
  expect(first).toMatch(/^Discord, made .*2025/);
});

test("an ID that is no number may be one of its text form, and its fault is shown too", async () => {
  const page = await visit();
  await field(page, "ID").fill("919108f7-52d1-4320-9bac-f847db4148a8");
  const origins = page.getByRole("region", { name: NAME });
  expect(await origins.getByRole("listitem").allInnerTexts()).toEqual(["UUID v4, without a time"]);
  expect(await field(page, "ID").getAttribute("aria-invalid")).toBe("true");
});

test("the chosen layout is not listed again, nor anything for an ID that was generated here or a text that is none", async () => {
  const page = await visit();
  const origins = page.getByRole("region", { name: NAME });
  await follow(page, "one of Discord’s");
  expect((await origins.getByRole("listitem").allInnerTexts()).join()).not.toContain("Discord");
  await button(page, "Generate").click();
  expect(await origins.isVisible()).toBe(false);
  await field(page, "ID").fill("hello");
  expect(await origins.isVisible()).toBe(false);
});
