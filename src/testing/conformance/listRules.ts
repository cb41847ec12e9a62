// Rules of list: exactly the cells whose keys begin with the prefix, all of them.

import { contentsOf } from "./checkedPort.ts";
import { expectSame } from "./expect.ts";
import { forEach, type Rule, type Trial } from "./rule.ts";
import { create } from "./swapRules.ts";

/** Asserts that a list has exactly these cells, and the versions of reads. */
export async function expectList(
  { cells }: Trial,
  prefix: string,
  versions: ReadonlyMap<string, string>,
): Promise<void> {
  // An ended cell may be there, without a value.
  const listed = (await cells.list(prefix)).filter(({ version }) => version !== "");
  const keys = listed.map(({ key }) => key);
  expectSame(
    prefix,
    "the keys that a list has and should not have to be",
    keys.filter((key) => !versions.has(key)),
    [],
  );
  expectSame(
    prefix,
    "the keys that a list has more than once to be",
    keys.filter((key, index) => keys.indexOf(key) !== index),
    [],
  );
  const missing = [...versions.keys()].filter((key) => !new Set(keys).has(key));
  expectSame(prefix, "the keys that a list should have and has not to be", missing, []);
  for (const cell of listed) {
    const present = { value: cell.key, version: versions.get(cell.key) };
    expectSame(cell.key, "a cell of a list to be", contentsOf(cell), present);
  }
}

/** Writes cells whose values are their keys. Resolves to their versions, by key. */
export async function createAll(trial: Trial, keys: readonly string[]): Promise<Map<string, string>> {
  const versions = new Map<string, string>();
  await forEach(keys, async (key) => versions.set(key, await create(trial, key, key)));
  return versions;
}

export const listRules: readonly Rule[] = [
  {
    name: "a list has the cells whose keys begin with the prefix, and no others",
    needs: "list",
    async check(trial) {
      const { name, keyOf } = trial;
      // The prefix of a name has each character that a pattern or a range may take for another one.
      const own = `${name} a_b*c'`;
      const others = [
        `${name} aXb*c'`,
        `${name} a_bXXc'`,
        `${name}X20a_b*c'`,
        `${name} A_b*c'`,
        `${name} a_b*c`,
        `${name} a_b*c'd`,
        `${name} a_b*c(`,
      ];
      const start = keyOf("", own);
      const ones = ["a:1", "a:10", "a:1:b", "a:1 "].map((key) => start + key);
      const rest = ["a", "a:", "A:1", "a_1", "a%1", "a*1", "a:2", "a;1", "ä:1", "b"].map(
        (key) => start + key,
      );
      const versions = await createAll(trial, [...ones, ...rest]);
      await createAll(
        trial,
        others.map((other) => keyOf("a:1", other)),
      );
      await expectList(trial, start, versions);
      await expectList(trial, `${start}a:1`, new Map(ones.map((key) => [key, versions.get(key) as string])));
      await expectList(trial, keyOf("", `${name} none`), new Map());
    },
  },
  {
    name: "a list has all cells, however many there are",
    needs: "list",
    async check(trial) {
      const keys = Array.from({ length: trial.listedCells }, (_, index) => trial.keyOf(`${index}`));
      await expectList(trial, trial.keyOf(""), await createAll(trial, keys));
    },
  },
];
