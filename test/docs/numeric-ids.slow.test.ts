// The table of capacities in docs/numeric-ids.md against capacity().

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { NumericIdType } from "../../src/numeric/index.ts";
import { root } from "./snippet.ts";

const guide = readFileSync(join(root, "docs/numeric-ids.md"), "utf8");
const rows = [...guide.matchAll(/^\| (\d+) \| ([\d,.× ^±%]+) \| ([\d,.× ^±%]+) \|$/gm)];

function shown(length: number, rules: "openg2p" | "mosip"): string {
  const { ids, isExact, error } = new NumericIdType({ name: "n", length, rules }).capacity();
  if (isExact) return ids.toLocaleString("en-US");
  const [number, power] = Number(ids).toExponential(2).split("e+");
  return `${number} × 10^${power} ± ${(error * 100).toFixed(1)} %`;
}

describe("the guide's capacities", () => {
  test("are found for twelve lengths", () => {
    expect(rows.map(([, length]) => Number(length))).toEqual([5, 6, 7, 8, 9, 10, 12, 16, 20, 24, 28, 32]);
  });

  test.each(rows.map(([, length, openg2p, mosip]) => ({ length: Number(length), openg2p, mosip })))(
    "of $length digits equal capacity()",
    ({ length, openg2p, mosip }) => {
      expect([shown(length, "openg2p"), shown(length, "mosip")]).toEqual([openg2p, mosip]);
    },
  );
});
