// Many lines on an output, in few writes.

import type { Output } from "../io.ts";

/** The characters of one write, and the most lines. */
const CHUNK = 262_144;
const MAX_LINES = 10_000;

/**
 * Writes lines that are made one by one. No more than a chunk is in memory.
 *
 * @param width the characters of a line
 */
export async function writeLines(
  output: Output,
  count: number,
  width: number,
  makeLine: () => string,
): Promise<void> {
  const most = Math.max(1, Math.min(MAX_LINES, Math.floor(CHUNK / width)));
  for (let remaining = count; remaining > 0; remaining -= most) {
    const lines = Array.from({ length: Math.min(most, remaining) }, makeLine);
    await output.write(lines.join(""));
  }
}
