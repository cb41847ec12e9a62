// The completion script for zsh.

import {
  type CompletedCommand,
  type CompletedOption,
  type CompletedWord,
  type CompletionModel,
  flagsOf,
  quoteSh,
} from "./model.ts";

/** Returns a word with its description, as `_describe` takes it. */
function described(word: string, description: string): string {
  return quoteSh(`${word.replaceAll(":", "\\:")}:${description}`);
}

const describedWords = (words: readonly CompletedWord[]): string =>
  words.map(({ word, summary }) => described(word, summary)).join(" ");

function valueCase(command: CompletedCommand, option: CompletedOption): string[] {
  const { values } = option;
  if (values === "none") return [];
  const head = `    ${flagsOf(option)
    .map((flag) => quoteSh(`${command.name} ${flag}`))
    .join("|")})`;
  if (values === "text") return [`${head} _message ${quoteSh(option.description)}; return ;;`];
  if (values === "file") return [`${head} _files; return ;;`];
  return [`${head} compadd -- ${values.map(quoteSh).join(" ")}; return ;;`];
}

function optionsCase(command: CompletedCommand): string {
  const options = command.options.flatMap((option) =>
    flagsOf(option).map((flag) => described(flag, option.description)),
  );
  const args = command.args.length > 0 ? ` args=(${command.args.map(quoteSh).join(" ")})` : "";
  return `    ${quoteSh(command.name)}) options=(${options.join(" ")})${args} ;;`;
}

/** Returns the script for zsh. */
export function zshScript({ first, groups, commands }: CompletionModel): string {
  const groupCases = [...groups].map(
    ([group, words]) =>
      `    ${group}) if ((CURRENT == 3)); then found=(${describedWords(words)}); _describe command found; return; fi
      command="$command $words[3]" ;;`,
  );
  return `#compdef bitflake
# zsh completion of bitflake: eval "$(bitflake completion zsh)"
_bitflake() {
  local command="$words[2]" previous="$words[CURRENT-1]"
  local -a found options args
  if [[ "$words[CURRENT]" == --*=* ]]; then
    previous="\${words[CURRENT]%%=*}"
    compset -P '*='
  fi
  if ((CURRENT == 2)); then
    found=(${describedWords(first)})
    _describe command found
    return
  fi
  case "$command" in
    help) compadd -- ${[...new Set(commands.map(({ name }) => name.split(" ")[0] as string))].map(quoteSh).join(" ")}; return ;;
${groupCases.join("\n")}
  esac
  case "$command $previous" in
${commands.flatMap((command) => command.options.flatMap((option) => valueCase(command, option))).join("\n")}
  esac
  case "$command" in
${commands.map(optionsCase).join("\n")}
  esac
  compadd -a args
  _describe -o option options
}

if [[ "$zsh_eval_context[-1]" == loadautofunc ]]; then
  _bitflake "$@"
else
  compdef _bitflake bitflake
fi
`;
}
