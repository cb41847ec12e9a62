// Diagram of a layout: the fields of an ID and their bits, as text. The README and the demo show the text; the playground
// draws the same fields in its page.

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
 * @property {string} name name of the field
 * @property {number} bits width in bits
 * @property {string} range its bits in an ID, such as `bits 62–22`
 * @property {string} [digits] its binary digits, if an ID was given
 */

/**
 * Returns the fields of a layout from the highest bit to the lowest. A field of 0 bits is left out.
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
 * Draws a layout and, if an ID is given, its bits.
 *
 * @param {import("bitflake").Widths} widths the four bit widths, a preset or a generator's layout
 * @param {bigint} [id] an ID of that layout
 * @returns {string} lines of text of equal width
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
