// What a command is to look at: its arguments, or else the lines of the standard input.

import type { Io } from "../io.ts";

/** The most of a line that is looked at. */
const MAX_LINE_LENGTH = 4096;

/**
 * No more of a line than shows that it is none: put together again with each piece, it would take for ever. What is left
 * out is marked, so that what comes before it does not pass for all.
 */
function truncateLine(line: string): string {
  return line.length > MAX_LINE_LENGTH ? `${line.slice(0, MAX_LINE_LENGTH)}\u2026` : line;
}

/** A text in pieces as its lines, without those that are empty. */
async function* splitLines(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = "";
  for await (const piece of pieces) {
    const lines = piece.split("\n");
    lines[0] = rest + lines[0];
    rest = truncateLine(lines.pop() as string);
    for (const line of lines) if (line.trim() !== "") yield truncateLine(line).trim();
  }
  if (rest.trim() !== "") yield rest.trim();
}

/**
 * The arguments of a command one by one, or the lines of the standard input if there are none.
 *
 * @param what they are: `"IDs"`
 */
export async function* argsOrLines(what: string, args: readonly string[], io: Io): AsyncGenerator<string> {
  if (args.length > 0) {
    yield* args;
    return;
  }
  // Or a person waits for an answer, and the command for a question.
  if (io.stdin.isTTY) await io.stderr.write(`Reading ${what}, one a line; Ctrl-D ends.\n`);
  yield* splitLines(io.stdin);
}
