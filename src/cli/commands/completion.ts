// bitflake completion: prints the completion script of a shell.

import type { Command } from "../command.ts";
import { bashScript } from "../completion/bash.ts";
import { fishScript } from "../completion/fish.ts";
import { type CompletionModel, completionModel } from "../completion/model.ts";
import { zshScript } from "../completion/zsh.ts";
import { defineCommand } from "../defineCommand.ts";
import { UsageError } from "../errors.ts";
import { quoted } from "../redact.ts";

/** The scripts by the names of their shells. */
const SCRIPTS: ReadonlyMap<string, (model: CompletionModel) => string> = /* @__PURE__ */ new Map([
  ["bash", bashScript],
  ["zsh", zshScript],
  ["fish", fishScript],
]);

/**
 * Creates the command.
 *
 * @param listCommands returns all commands, this one included
 */
export function createCompletionCommand(listCommands: () => readonly Command[]): Command {
  const shells = [...SCRIPTS.keys()];
  return defineCommand({
    name: "completion",
    args: "SHELL",
    argChoices: shells,
    summary: "Prints the completion script of bash, zsh or fish.",
    notes: [
      'For bash, add eval "$(bitflake completion bash)" to ~/.bashrc; for zsh, add eval "$(bitflake completion zsh)" to ~/.zshrc, after compinit. For fish, save the script as ~/.config/fish/completions/bitflake.fish.',
      "The script contains all commands and options, and starts no process. Print it again after an update.",
    ],
    flags: {},
    examples: [{ run: "bitflake completion bash" }, { run: "bitflake completion fish --json" }],
    async run({ args, isJson, io }) {
      const [shell = "", ...others] = args;
      const write = SCRIPTS.get(shell);
      if (!write || others.length > 0) {
        const given = args.length === 0 ? "nothing" : quoted(args.join(" "));
        throw new UsageError(`completion requires one shell of ${shells.join(", ")}, got ${given}`);
      }
      const script = write(completionModel(listCommands()));
      await io.stdout.write(isJson ? `${JSON.stringify({ script })}\n` : script);
      return 0;
    },
  });
}
