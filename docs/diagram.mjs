// The one renderer of the bit diagram: for the README, the demo and whatever else shows a layout.

const FIELDS = [
  ["timestamp", "timestampBits"],
  ["datacenter", "datacenterBits"],
  ["machine", "machineBits"],
  ["sequence", "sequenceBits"],
];

/**
 * Draws a layout, and if there is an ID, its bits.
 *
 * @param {import("bitflake").Widths} widths the four bit widths, a preset or a generator's layout
 * @param {bigint} [id] an ID of that layout
 * @returns {string} lines of text, all of one width
 */
export function diagram(widths, id) {
  let high = FIELDS.reduce((sum, [, option]) => sum + widths[option], 0);
  const columns = [];
  for (const [name, option] of FIELDS) {
    const bits = widths[option];
    if (bits === 0) continue;
    const low = high - bits;
    const range = bits === 1 ? `bit ${low}` : `bits ${high - 1}–${low}`;
    const cells = [name, range];
    if (id !== undefined)
      cells.push(
        BigInt.asUintN(bits, id >> BigInt(low))
          .toString(2)
          .padStart(bits, "0"),
      );
    columns.push({ cells, width: Math.max(bits, ...cells.map((cell) => cell.length)) });
    high = low;
  }
  const rule = (left, middle, right) =>
    left + columns.map(({ width }) => "─".repeat(width + 2)).join(middle) + right;
  const row = (index) => `│ ${columns.map(({ cells, width }) => cells[index].padEnd(width)).join(" │ ")} │`;
  return [rule("┌", "┬", "┐"), ...columns[0].cells.map((_, index) => row(index)), rule("└", "┴", "┘")].join(
    "\n",
  );
}
