// Random sequences of reads, swaps and lists, compared with a map in memory.

import { type Contents, contentsOf, NOTHING } from "./checkedPort.ts";
import { expectSame, expectThat } from "./expect.ts";
import { KEEP_MS, type Rule } from "./rule.ts";

const KEYS = ["a", "b", "A", "a:b"];
const VALUES = ["", "x", "ü🙂", '{"a":1}', "%_*"];

export const randomRules: readonly Rule[] = [
  {
    name: "random reads, swaps and lists answer as a map in memory does",
    async check({ cells, otherCells, keyOf, operations, port, random }) {
      const model = new Map<string, { present: Contents; versions: string[] }>();
      const stateOf = (key: string) => {
        const state = model.get(key) ?? { present: NOTHING, versions: [] };
        model.set(key, state);
        return state;
      };
      for (let operation = 0; operation < operations; operation++) {
        const key = keyOf(random.pick(KEYS));
        const { present, versions } = stateOf(key);
        const connection = random.pick([cells, otherCells]);
        const title = `in operation ${operation},`;
        const kind = random.below(10);
        if (kind < 3) {
          expectSame(key, `${title} read to return`, contentsOf(await connection.read(key)), present);
        } else if (kind < 7) {
          const value = random.pick(VALUES);
          const { swapped, ...cell } = await connection.swap(key, present.version, value, KEEP_MS);
          expectSame(
            key,
            `${title} a swap over the present version to return`,
            { swapped, value: cell.value },
            { swapped: true, value },
          );
          expectThat(
            key,
            `${title} a version that the key has not had before`,
            !versions.includes(cell.version),
            cell.version,
          );
          versions.push(cell.version);
          model.set(key, { present: contentsOf(cell), versions });
        } else if (kind < 9) {
          const version = random.pick(["", ...versions]);
          if (version === present.version) continue;
          const { swapped, ...cell } = await connection.swap(key, version, "stale", KEEP_MS);
          expectSame(
            key,
            `${title} a swap over another version to return`,
            { swapped, ...contentsOf(cell) },
            { swapped: false, ...present },
          );
        } else if (port.list) {
          const listed = (await connection.list(keyOf(""))).filter(({ version }) => version !== "");
          const byKey = (cells: readonly (readonly [string, Contents])[]) =>
            Object.fromEntries([...cells].sort(([a], [b]) => (a < b ? -1 : 1)));
          const expected = [...model].filter(([, { present }]) => present !== NOTHING);
          expectSame(
            keyOf(""),
            `${title} list to return`,
            byKey(listed.map((cell) => [cell.key, contentsOf(cell)])),
            byKey(expected.map(([key, { present }]) => [key, present])),
          );
        }
      }
    },
  },
];
