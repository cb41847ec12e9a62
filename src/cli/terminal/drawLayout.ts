// Draws the bits of a layout as boxes whose widths follow the bits.

import type { Widths } from "../../internal.ts";

/** One field of a layout. */
export interface LayoutField {
  readonly name: string;
  readonly bits: number;
  /** Its highest bit, counted from the low end of an ID. */
  readonly high: number;
  /** Its lowest bit. */
  readonly low: number;
}

/** Returns the fields of a layout from the high end of an ID to its low end, without fields of 0 bits. */
export function layoutFields(layout: Widths): LayoutField[] {
  const widths = [
    ["timestamp", layout.timestampBits],
    ["datacenter", layout.datacenterBits],
    ["machine", layout.machineBits],
    ["sequence", layout.sequenceBits],
  ] as const;
  let low = widths.reduce((sum, [, bits]) => sum + bits, 0);
  return widths.flatMap(([name, bits]) => {
    const high = low - 1;
    low -= bits;
    return bits > 0 ? [{ name, bits, high, low }] : [];
  });
}

/** Returns the lines of text in a field's box. */
function cellTexts({ name, bits, high, low }: LayoutField): string[] {
  const range = bits === 1 ? `bit ${low}` : `bits ${high}–${low}`;
  return [name, range, bits === 1 ? "1 bit" : `${bits} bits`];
}

/** Draws fields in a number of columns, or in more if their contents need more. */
export function drawLayout(fields: readonly LayoutField[], columns: number): string {
  const boxes = fields.map((field) => {
    const cells = cellTexts(field);
    return { cells, bits: field.bits, width: Math.max(...cells.map((cell) => cell.length)) };
  });
  // Each box has a left border and two spaces; the last one also has a right border.
  const taken = boxes.reduce((sum, { width }) => sum + width + 3, 1);
  for (let room = columns - taken; room > 0; room--) {
    // Widen the box that is narrowest for its bits, so that all approach the same scale.
    const next = boxes.reduce((a, b) => (b.width / b.bits < a.width / a.bits ? b : a));
    next.width++;
  }
  const rule = (left: string, middle: string, right: string) =>
    left + boxes.map(({ width }) => "─".repeat(width + 2)).join(middle) + right;
  const row = (i: number) =>
    `│ ${boxes.map(({ cells, width }) => String(cells[i]).padEnd(width)).join(" │ ")} │`;
  return [rule("┌", "┬", "┐"), row(0), row(1), row(2), rule("└", "┴", "┘"), ""].join("\n");
}
