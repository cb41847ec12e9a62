// Regular expressions that match exactly the texts up to a largest one, for JSON Schemas.

/** Returns a character class of letters and digits, with a range for each three or more that follow each other. */
function classOf(characters: string): string {
  const runs: string[] = [];
  for (const character of characters) {
    const run = runs.at(-1);
    if (run !== undefined && run.charCodeAt(run.length - 1) + 1 === character.charCodeAt(0)) {
      runs[runs.length - 1] = run + character;
    } else {
      runs.push(character);
    }
  }
  const text = runs.map((run) => (run.length < 3 ? run : `${run[0]}-${run.at(-1)}`)).join("");
  return text.length === 1 ? text : `[${text}]`;
}

/** Returns so many characters of a class. */
function repeat(characterClass: string, count: number): string {
  return count < 2 ? characterClass.repeat(count) : `${characterClass}{${count}}`;
}

/**
 * Returns a regular expression, without anchors, for all texts of the width of `last` that do not sort after it.
 *
 * @param alphabet the characters of the texts, in their order
 * @param least the index of the least first character
 */
export function patternUpTo(last: string, alphabet: string, least = 0): string {
  const any = classOf(alphabet);
  let pattern = "";
  for (let at = last.length - 1; at >= 0; at--) {
    const rest = last.length - 1 - at;
    const digit = alphabet.indexOf(last[at] as string);
    const from = at === 0 ? least : 0;
    // After the last character of a text, or before characters that may all be the alphabet's last, one class is enough.
    const isFree = pattern === repeat(any, rest);
    const lower = alphabet.slice(from, isFree ? digit + 1 : digit);
    const free = lower === "" ? [] : [classOf(lower) + repeat(any, rest)];
    const alternatives = isFree ? free : [...free, (last[at] as string) + pattern];
    pattern = alternatives.length === 1 ? (alternatives[0] as string) : `(?:${alternatives.join("|")})`;
  }
  return pattern;
}

/** Returns a regular expression, without anchors, for the decimal texts from 0 to `last` without leading zeros. */
export function decimalPattern(last: bigint): string {
  const digits = "0123456789";
  const text = String(last);
  if (text.length === 1) return classOf(digits.slice(0, Number(last) + 1));
  const shorter = text.length === 2 ? "[1-9]" : `[1-9][0-9]{0,${text.length - 2}}`;
  return `(?:0|${shorter}|${patternUpTo(text, digits, 1)})`;
}
