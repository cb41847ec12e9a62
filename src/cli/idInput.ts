// Input of IDs: each argument or line is one, and a text that is none does not end the command.

import { InvalidIdError } from "../internal.ts";
import type { CommandContext } from "./command.ts";
import { reportError } from "./errors.ts";
import type { FlagTable } from "./settings/flagTable.ts";
import { argsOrLines } from "./terminal/input.ts";

/**
 * Calls a function with each argument, or with each line of the standard input, and writes the text that it returns. In text output,
 * texts of several lines are separated by an empty line. An {@link InvalidIdError} is reported, and the next text follows.
 *
 * @returns the exit code: 1 if a text was not valid
 */
export async function writeEachId(
  { args, isJson, io }: Pick<CommandContext<FlagTable>, "args" | "isJson" | "io">,
  render: (text: string) => string,
): Promise<number> {
  let [gap, code] = ["", 0];
  for await (const text of argsOrLines("IDs", args, io)) {
    try {
      const output = render(text);
      await io.stdout.write(gap + output);
      if (output.indexOf("\n") < output.length - 1) gap = "\n";
    } catch (error) {
      if (!(error instanceof InvalidIdError)) throw error;
      await reportError(io, isJson, error);
      code = 1;
    }
  }
  return code;
}
