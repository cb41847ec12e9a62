// Text in columns.

import { expect, test } from "vitest";
import { keyValueLines, tableLines } from "../../../src/cli/terminal/table.ts";

test("pairs are aligned by their values", () => {
  expect(keyValueLines({ a: 1n, "longer name": "x" })).toBe("a            1\nlonger name  x\n");
});

test("columns are as wide as the widest of their cells, and no line ends in spaces", () => {
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
