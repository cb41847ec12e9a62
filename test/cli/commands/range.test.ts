// bitflake range: the limits of a span of time, and the condition that it prints.

import { makeGenerator } from "bitflake";
import { base32 } from "bitflake/text";
import { describe, expect, test, vi } from "vitest";
import { cli } from "../cliIo.ts";

const january = "--from 2026-01-01 --to 2026-02-01";

describe("range", () => {
  test.each(["twitter", "minimal", "safe_integer", "discord"] as const)(
    "of %s prints what the library returns",
    async (preset) => {
      const { min, max } = makeGenerator(preset).range(new Date("2026-01-01"), new Date("2026-02-01"));
      const { code, out } = await cli(`range ${january} --preset ${preset}`);
      expect([code, out]).toEqual([0, `min  ${min}\nmax  ${max}\n`]);
      expect(JSON.parse((await cli(`range ${january} --preset ${preset} --json`)).out)).toEqual({
        from: "2026-01-01T00:00:00.000Z",
        to: "2026-02-01T00:00:00.000Z",
        min: `${min}`,
        max: `${max}`,
      });
    },
  );

  test("takes epoch, tick and widths, and times with a zone", async () => {
    const options = {
      epochMs: 1_420_070_400_000,
      tickMs: 10,
      timestampBits: 39,
      machineBits: 16,
      sequenceBits: 8,
    };
    const generator = makeGenerator({ datacenterBits: 0, ...options });
    const { min, max } = generator.range(Date.UTC(2026, 0, 1, 11), Date.UTC(2026, 0, 1, 11, 30));
    const widths = "--timestamp-bits 39 --machine-bits 16 --sequence-bits 8 --tick-ms 10 --epoch 2015-01-01";
    const { out } = await cli([
      "range",
      "--from=2026-01-01T12:00:00+01:00",
      "--to=2026-01-01 11:30Z",
      ...widths.split(" "),
      "--json",
    ]);
    expect(JSON.parse(out)).toMatchObject({ min: `${min}`, max: `${max}` });
  });

  test("prints a condition, in quotes for text forms, which sort as the IDs do", async () => {
    const { min, max } = makeGenerator("twitter").range(new Date("2026-01-01"), new Date("2026-02-01"));
    const { out } = await cli(`range ${january} --column id`);
    expect(out).toBe(`id BETWEEN ${min} AND ${max}\n`);
    const text = await cli(`range ${january} --column t.key --prefix user --json`);
    expect(JSON.parse(text.out)).toMatchObject({
      min: `user_${base32.encode(min)}`,
      sql: `t.key BETWEEN 'user_${base32.encode(min)}' AND 'user_${base32.encode(max)}'`,
    });
  });

  test.each(["id", "orders.id", "_x$1", '"Order ID"', "`a b`.`c`", "[dbo].[Order ID]", '"s"."t"."id"'])(
    "accepts the column %s",
    async (column) => {
      const { code, out } = await cli(["range", ...january.split(" "), "--column", column]);
      expect(code).toBe(0);
      expect(out.startsWith(`${column} BETWEEN `)).toBe(true);
    },
  );

  test.each(["id; DROP TABLE x", "a b", '"', 'a"b', "1=1--", "id)", ".id", "id.", "a\nb"])(
    "refuses the column %j",
    async (column) => {
      const { code, out, err } = await cli(["range", ...january.split(" "), "--column", column]);
      expect([code, out]).toEqual([2, ""]);
      expect(err).toContain("--column must be the name of a column, such as id or orders.id, got ");
    },
  );

  test("does not warn of a shared node in a pod", async () => {
    makeGenerator("twitter");
    Reflect.get(globalThis, Symbol.for("bitflake.sharedNode.v1")).isChecked = false;
    vi.stubEnv("KUBERNETES_SERVICE_HOST", "10.0.0.1");
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    expect((await cli(`range ${january}`)).code).toBe(0);
    expect(warn).not.toHaveBeenCalled();
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  test("of an empty span has a condition that is false", async () => {
    const { out } = await cli("range --from 2026-01-01 --to 2026-01-01 --json");
    const { min, max } = JSON.parse(out);
    expect(BigInt(max)).toBe(BigInt(min) - 1n);
  });

  test.each([
    ["range", "--from is required"],
    ["range --from 2026-01-01", "--to is required"],
    ["range --from 2026-02-01 --to 2026-01-01", "--to must not be before --from"],
    ["range --from 2026-02-30 --to 2026-03-01", "--from must be a date such as 2026-01-31"],
    ["range --from 2026-01-01T12:00 --to 2026-03-01", "--from must be a date such as 2026-01-31"],
    ["range 2026-01-01 2026-02-01", 'range takes no arguments, got "2026-01-01"'],
    [`range ${january} --epoch 2999-01-01`, "--epoch must be in the past"],
    [
      "range --from 2010-01-01 --to 2011-01-01 -f hex",
      "--to must be after the epoch, because no text form has",
    ],
    [`range ${january} --timestamp-bits 5`, "layout must be 63 or 53 bits, got 15"],
  ])("%s is wrong usage", async (line, message) => {
    const { code, out, err } = await cli(line);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(`error: ${message}`);
  });
});
