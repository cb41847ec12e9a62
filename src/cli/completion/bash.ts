// The completion script for bash, 3.2 or later.

import { type CompletedCommand, type CompletionModel, flagsOf, quoteSh } from "./model.ts";

/** Returns the patterns of a `case` for options of a command. */
function patterns(command: CompletedCommand, flags: readonly string[]): string {
  return flags.map((flag) => quoteSh(`${command.name} ${flag}`)).join("|");
}

/** Returns the cases for the values of a command's options. */
function valueCases(command: CompletedCommand): string[] {
  return command.options.flatMap((option) => {
    const head = `    ${patterns(command, flagsOf(option))})`;
    if (option.values === "none") return [];
    if (option.values === "text") return [`${head} return ;;`];
    if (option.values === "file") return [`${head} _bitflake_files; return ;;`];
    return [`${head} _bitflake_words ${quoteSh(option.values.join(" "))}; return ;;`];
  });
}

/** Returns the case for the options of a command, and for its argument. */
function wordCase({ name, args, hasArgs, options }: CompletedCommand): string {
  const flags = quoteSh(options.flatMap(flagsOf).join(" "));
  // Where no argument can follow, the options are all that there is to complete.
  const words = hasArgs
    ? `if [[ $cur == -* ]]; then words=${flags}; else words=${quoteSh(args.join(" "))}; fi`
    : `words=${flags}`;
  return `    ${quoteSh(name)}) ${words} ;;`;
}

/** Returns the script for bash. */
export function bashScript({ first, groups, commands }: CompletionModel): string {
  const groupCases = [...groups].map(
    ([group, words]) =>
      `    ${group}) if ((COMP_CWORD == 2)); then _bitflake_words ${quoteSh(words.map(({ word }) => word).join(" "))}; return; fi
      command="$command \${COMP_WORDS[2]}" ;;`,
  );
  return `# bash completion of bitflake: eval "$(bitflake completion bash)"
_bitflake_words() {
  COMPREPLY=($(compgen -W "$1" -- "$cur"))
}

_bitflake_files() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -f -- "$cur"))
  compopt -o filenames 2>/dev/null
}

_bitflake() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}" words=
  COMPREPLY=()
  # Bash splits --name=value at the equals sign.
  if [[ $cur == "=" ]]; then
    cur=
  elif [[ $prev == "=" ]]; then
    prev="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
  if ((COMP_CWORD == 1)); then
    _bitflake_words ${quoteSh(first.map(({ word }) => word).join(" "))}
    return
  fi
  case "$command" in
    help) _bitflake_words ${quoteSh(commands.map(({ name }) => name.split(" ")[0]).join(" "))}; return ;;
${groupCases.join("\n")}
  esac
  case "$command $prev" in
${commands.flatMap(valueCases).join("\n")}
  esac
  case "$command" in
${commands.map(wordCase).join("\n")}
  esac
  _bitflake_words "$words"
}

complete -F _bitflake bitflake
`;
}
