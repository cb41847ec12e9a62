// The values that a command works on: its arguments, or the lines of the standard input if it has none.

import type { Io } from "../io.ts";

/** The length from which the rest of a line is not kept. */
const MAX_LINE_LENGTH = 4096;

/**
 * Returns a line, cut and marked with an ellipsis if it is too long. The mark makes the line invalid, so its beginning is
 * not taken for the whole. Without the limit, appending each chunk of an endless line would take quadratic time.
 */
function truncateLine(line: string): string {
  return line.length > MAX_LINE_LENGTH ? `${line.slice(0, MAX_LINE_LENGTH)}\u2026` : line;
}

/** Yields the lines of a string that arrives in chunks, trimmed and without empty lines. */
async function* splitLines(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of chunks) {
    const lines = chunk.split("\n");
    lines[0] = rest + lines[0];
    rest = truncateLine(lines.pop() as string);
    for (const line of lines) if (line.trim() !== "") yield truncateLine(line).trim();
  }
  if (rest.trim() !== "") yield rest.trim();
}

/**
 * Yields the arguments of a command, or the lines of the standard input if there are none.
 *
 * @param noun the plural of what is read, for the prompt: `"IDs"`
 */
export async function* argsOrLines(noun: string, args: readonly string[], io: Io): AsyncGenerator<string> {
  if (args.length > 0) {
    yield* args;
    return;
  }
  // Without a prompt, a person at a terminal would not know that the command waits for input.
  if (io.stdin.isTTY) await io.stderr.write(`Reading ${noun}, one per line; Ctrl-D ends.\n`);
  yield* splitLines(io.stdin);
}
