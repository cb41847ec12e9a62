// The completion script for fish.

import type { CompletedOption, CompletedWord, CompletionModel } from "./model.ts";

/** Returns a string in single quotes for fish, where a backslash escapes within them. */
function quoteFish(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** Returns a line that completes words after a command, or after a group and a space. */
function wordLine(command: string, { word, summary }: CompletedWord): string {
  return `complete -c bitflake -n '__bitflake_is "${command}"' -a ${quoteFish(word)} -d ${quoteFish(summary)}`;
}

/** Returns the part of a line that says which values an option has. */
function valuePart({ values }: CompletedOption): string {
  if (values === "none") return "";
  if (values === "text") return " -x";
  if (values === "file") return " -r -F";
  return ` -x -a ${quoteFish(values.join(" "))}`;
}

/** Returns the script for fish. */
export function fishScript({ first, groups, commands }: CompletionModel): string {
  const lines = [
    ...first.map((word) => wordLine("", word)),
    ...commands
      .filter(({ name }) => !name.includes(" "))
      .map(({ name, summary }) => wordLine("help", { word: name, summary })),
    ...[...groups].flatMap(([group, words]) => words.map((word) => wordLine(`${group} `, word))),
    ...commands.flatMap(({ name, args, options }) => [
      ...args.map((word) => `complete -c bitflake -n '__bitflake_is "${name}"' -a ${quoteFish(word)}`),
      ...options.map((option) => {
        const short = option.short === undefined ? "" : ` -s ${option.short}`;
        const head = `complete -c bitflake -n '__bitflake_is "${name}"' -l ${option.name}${short}`;
        return `${head}${valuePart(option)} -d ${quoteFish(option.description)}`;
      }),
    ]),
  ];
  return `# fish completion of bitflake: bitflake completion fish | source
function __bitflake_is
    set -l words (commandline -opc)
    set -l command "$words[2]"
    if contains -- "$command" ${[...groups.keys()].join(" ")}
        set command "$command $words[3]"
    end
    test "$command" = "$argv[1]"
end
complete -c bitflake -f
${lines.join("\n")}
`;
}
