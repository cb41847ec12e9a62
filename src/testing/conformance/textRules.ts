// Rules of keys and values: every text that bitflake writes comes back unchanged, and no two keys are one.

import { contentsOf, NOTHING } from "./checkedPort.ts";
import { expectSame } from "./expect.ts";
import { createAll, expectList } from "./listRules.ts";
import { forEach, KEEP_MS, type Rule, type Trial } from "./rule.ts";
import { create } from "./swapRules.ts";

/** Keys of clients: 1 to 255 characters without U+0000 and lone surrogates. Some are taken for each other by collations. */
const KEYS: readonly string[] = [
  "ada",
  "ADA",
  "ada ",
  " ada",
  "é",
  "e\u0301",
  "ß",
  "ss",
  "'",
  '"',
  "`",
  "\\",
  "\\'",
  "%",
  "_",
  "*",
  "?",
  ".",
  "..",
  "/",
  "a/b",
  "a//b",
  "#",
  "+",
  "&",
  "[a]",
  "%s %d $1 ? ?? :a @b",
  "{}",
  ":",
  "a:b",
  "a::b",
  "a:",
  "\n",
  "\r\n\t",
  "\u0001\u007f\u0080\u202e\ufeff",
  "\ufffe\uffff",
  "\ufeffü",
  "null",
  "0x10",
  "🙂",
  "-- /* */ ; DROP TABLE x",
];

/** Values: any text without U+0000 and lone surrogates. */
const VALUES: readonly string[] = [
  "",
  " ",
  "007",
  "null",
  '{"a":[1,null]}',
  `'; DROP TABLE x; -- "a" \\ \\' $1 ? %s {} \r\n\t\b\x1a\u007f`,
  "\ufeffžluťoučký e\u0301 日本 🦊 \u{10ffff} \ufffe\uffff\u2028",
];

/** Returns a text of so many bytes in UTF-8, and at most 6 less. */
function textOf(bytes: number): string {
  // 7 bytes in 4 code units.
  return "ü🦊\n".repeat(Math.floor(bytes / 7));
}

/** Writes a value, reads it, and writes over it. */
async function expectRoundTrip(trial: Trial, key: string, value: string): Promise<void> {
  const version = await create(trial, key, value);
  const present = { value, version };
  expectSame(key, "read to return", contentsOf(await trial.cells.read(key)), present);
  const lost = await trial.cells.swap(key, "", "another", KEEP_MS);
  expectSame(key, "a swap over another version to return", contentsOf(lost), present);
  const { swapped } = await trial.cells.swap(key, version, `${value}!`, KEEP_MS);
  expectSame(key, "a swap over the present version to return", { swapped }, { swapped: true });
  expectSame(key, "read to return", (await trial.cells.read(key)).value, `${value}!`);
}

export const textRules: readonly Rule[] = [
  {
    name: "keys with any characters stay apart",
    async check(trial) {
      const { cells, keyOf, port } = trial;
      const keys = KEYS.map((key) => keyOf(key));
      await forEach(keys, async (key) =>
        expectSame(
          key,
          "a read before the key was written to return",
          contentsOf(await cells.read(key)),
          NOTHING,
        ),
      );
      const versions = await createAll(trial, keys);
      await forEach(keys, async (key) =>
        expectSame(key, "read to return", contentsOf(await cells.read(key)), {
          value: key,
          version: versions.get(key),
        }),
      );
      if (port.list) await expectList(trial, keyOf(""), versions);
    },
  },
  {
    name: "keys may be as long as the longest one of bitflake",
    async check(trial) {
      // Names of up to 100 characters, in which a smile takes 12 bytes of a key; and keys of up to 255 characters, in which it
      // takes 4. They differ in the last character.
      const shortest = new TextEncoder().encode(trial.keyOf("a")).length;
      const smiles = Math.min(254, Math.floor((trial.keyBytes - shortest) / 4));
      const smilesInName = Math.min(
        100 - trial.name.length,
        Math.floor((trial.keyBytes - shortest - 4 * smiles) / 12),
      );
      const name = "🙂".repeat(smilesInName) + trial.name;
      const keys = ["a", "b"].map((end) => trial.keyOf("🙂".repeat(smiles) + end, name));
      for (const key of keys) await create(trial, key, key);
      for (const key of keys) expectSame(key, "read to return", (await trial.cells.read(key)).value, key);
    },
  },
  {
    name: "values with any characters come back unchanged",
    async check(trial) {
      await forEach([...VALUES.entries()], ([index, value]) =>
        expectRoundTrip(trial, trial.keyOf(`${index}`), value),
      );
    },
  },
  {
    name: "large values come back unchanged",
    check: (trial) => expectRoundTrip(trial, trial.keyOf("large"), textOf(trial.valueBytes)),
  },
];
