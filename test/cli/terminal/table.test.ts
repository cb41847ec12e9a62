// Text in columns.

import { expect, test } from "vitest";
import { keyValueLines, tableLines } from "../../../src/cli/terminal/table.ts";

test("keyValueLines aligns the values", () => {
  expect(keyValueLines({ a: 1n, "longer name": "x" })).toBe("a            1\nlonger name  x\n");
});

test("tableLines makes columns as wide as their widest cell, without spaces at the end of a line", () => {
  expect(
    tableLines(
      ["NODE", "HOLDER"],
      [
        ["1023", "pod-7"],
        ["5", ""],
      ],
    ),
  ).toBe("NODE  HOLDER\n1023  pod-7\n5\n");
  expect(tableLines(["N"], [])).toBe("N\n");
});
