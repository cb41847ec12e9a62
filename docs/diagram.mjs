// Which bits of an ID mean what, and how that is drawn as text. The README and the demo show the text; the playground
// draws the same fields as a page.

const FIELDS = [
  ["timestamp", "timestampBits"],
  ["datacenter", "datacenterBits"],
  ["machine", "machineBits"],
  ["sequence", "sequenceBits"],
];

/**
 * One field of a layout.
 *
 * @typedef {object} Field
 * @property {string} name what it holds
 * @property {number} bits its width
 * @property {string} range which bits of an ID it takes, in words
 * @property {string} [digits] its bits in the ID, if there is one
 */

/**
 * The fields of a layout, from the high end of an ID to its low end. One without bits is none.
 *
 * @param {import("bitflake").Widths} widths the four bit widths, a preset or a generator's layout
 * @param {bigint} [id] an ID of that layout
 * @returns {Field[]}
 */
export function fields(widths, id) {
  let low = FIELDS.reduce((sum, [, option]) => sum + widths[option], 0);
  return FIELDS.filter(([, option]) => widths[option] > 0).map(([name, option]) => {
    const bits = widths[option];
    const high = low - 1;
    low -= bits;
    const range = bits === 1 ? `bit ${low}` : `bits ${high}–${low}`;
    if (id === undefined) return { name, bits, range };
    const value = BigInt.asUintN(bits, id >> BigInt(low));
    return { name, bits, range, digits: value.toString(2).padStart(bits, "0") };
  });
}

/**
 * Draws a layout, and if there is an ID, its bits.
 *
 * @param {import("bitflake").Widths} widths the four bit widths, a preset or a generator's layout
 * @param {bigint} [id] an ID of that layout
 * @returns {string} lines of text, all of one width
 */
export function diagram(widths, id) {
  const columns = fields(widths, id).map(({ name, bits, range, digits }) => {
    const cells = digits === undefined ? [name, range] : [name, range, digits];
    return { cells, width: Math.max(bits, ...cells.map((cell) => cell.length)) };
  });
  const rule = (left, middle, right) =>
    left + columns.map(({ width }) => "─".repeat(width + 2)).join(middle) + right;
  const row = (index) => `│ ${columns.map(({ cells, width }) => cells[index].padEnd(width)).join(" │ ")} │`;
  return [rule("┌", "┬", "┐"), ...columns[0].cells.map((_, index) => row(index)), rule("└", "┴", "┘")].join(
    "\n",
  );
}
