// Rules of read and swap: their answers, and that of several swaps over one version one writes.

import { contentsOf, NOTHING } from "./checkedPort.ts";
import { expectSame, expectThat } from "./expect.ts";
import { KEEP_MS, type Rule, type Trial } from "./rule.ts";

/** How many swaps compete for a version. */
const COMPETITORS = 40;

/** How many workers count on one key, and how far each one counts. */
const WORKERS = 5;
const STEPS = 10;

/** Writes a first value. Resolves to its version. */
export async function create({ cells }: Trial, key: string, value: string): Promise<string> {
  const { swapped, version } = await cells.swap(key, "", value, KEEP_MS);
  expectThat(key, "the first swap over the version of nothing to write", swapped, { swapped, version });
  return version;
}

/** Asserts that a swap writes nothing, and that it returns the present cell. */
async function expectRefusal(trial: Trial, key: string, version: string, present: object): Promise<void> {
  const { swapped, ...cell } = await trial.cells.swap(key, version, "stale", KEEP_MS);
  expectSame(
    key,
    "a swap over another version to return",
    { swapped, ...contentsOf(cell) },
    { swapped: false, ...present },
  );
  expectSame(
    key,
    "a read after a swap over another version to return",
    contentsOf(await trial.cells.read(key)),
    present,
  );
}

/** Sends swaps over one version at once. Asserts that exactly one writes, and that all return its cell. */
async function compete({ cells }: Trial, key: string, version: string): Promise<void> {
  const results = await Promise.all(
    Array.from({ length: COMPETITORS }, (_, index) => cells.swap(key, version, `value ${index}`, KEEP_MS)),
  );
  const winners = results.flatMap(({ swapped }, index) => (swapped ? [index] : []));
  expectSame(
    key,
    `the number of ${COMPETITORS} swaps at once over ${version === "" ? '""' : "a version"} that write to be`,
    winners.length,
    1,
  );
  const won = contentsOf(results[winners[0] as number] as (typeof results)[number]);
  expectSame(key, "the value of the swap that writes to be", won.value, `value ${winners[0]}`);
  for (const result of results)
    expectSame(key, "the cell that each of the swaps returns to be", contentsOf(result), won);
  expectSame(key, "a read after the swaps to return", contentsOf(await cells.read(key)), won);
}

export const swapRules: readonly Rule[] = [
  {
    name: 'a key without a value has the version ""',
    async check({ cells, keyOf }) {
      const key = keyOf("absent");
      expectSame(key, "read to return", contentsOf(await cells.read(key)), NOTHING);
    },
  },
  {
    name: 'a swap over "" writes only if the key has no value',
    async check(trial) {
      const key = trial.keyOf("k");
      const { swapped, ...cell } = await trial.cells.swap(key, "", "one", KEEP_MS);
      expectSame(
        key,
        "a swap over the version of nothing to return",
        { swapped, value: cell.value },
        { swapped: true, value: "one" },
      );
      expectSame(key, "read to return", contentsOf(await trial.cells.read(key)), contentsOf(cell));
      await expectRefusal(trial, key, "", contentsOf(cell));
    },
  },
  {
    name: "a swap over a version writes once",
    async check(trial) {
      const key = trial.keyOf("k");
      const first = await create(trial, key, "one");
      const { swapped, ...cell } = await trial.cells.swap(key, first, "two", KEEP_MS);
      expectSame(
        key,
        "a swap over the present version to return",
        { swapped, value: cell.value },
        { swapped: true, value: "two" },
      );
      expectSame(key, "read to return", contentsOf(await trial.cells.read(key)), contentsOf(cell));
      await expectRefusal(trial, key, first, contentsOf(cell));
    },
  },
  {
    name: "a swap over a version on a key without a value writes nothing",
    async check(trial) {
      const version = await create(trial, trial.keyOf("k"), "one");
      await expectRefusal(trial, trial.keyOf("absent"), version, NOTHING);
    },
  },
  {
    name: "no two writes of a key have one version, also if the value is the same",
    async check(trial) {
      const key = trial.keyOf("k");
      const versions = [await create(trial, key, "A")];
      for (const value of ["A", "B", "A", "A"]) {
        const before = versions.at(-1) as string;
        const { swapped, version } = await trial.cells.swap(key, before, value, KEEP_MS);
        expectThat(key, "a swap over the present version to write", swapped, { swapped, version });
        expectThat(key, "a version that the key has not had before", !versions.includes(version), version);
        versions.push(version);
      }
      const present = contentsOf(await trial.cells.read(key));
      for (const version of versions.slice(0, -1)) await expectRefusal(trial, key, version, present);
    },
  },
  {
    name: "of many swaps at once over one version, one writes",
    async check(trial) {
      await compete(trial, trial.keyOf("absent"), "");
      const key = trial.keyOf("present");
      await compete(trial, key, await create(trial, key, "start"));
    },
  },
  {
    name: "no step of concurrent counting is lost",
    async check({ cells, otherCells, keyOf }) {
      const key = keyOf("k");
      const work = async (_: unknown, index: number) => {
        const port = index % 2 === 0 ? cells : otherCells;
        for (let step = 0; step < STEPS; step++) {
          let { value = "0", version } = await port.read(key);
          // Each failed swap is another worker's step.
          for (let tries = 0; ; tries++) {
            const answer = await port.swap(key, version, String(Number(value) + 1), KEEP_MS);
            if (answer.swapped) break;
            expectThat(key, "a swap to write when no other one has written", tries < WORKERS * STEPS, answer);
            ({ value = "0", version } = answer);
          }
        }
      };
      await Promise.all(Array.from({ length: WORKERS }, work));
      expectSame(key, "the count to be", (await cells.read(key)).value, String(WORKERS * STEPS));
    },
  },
  {
    name: "a read sees every write that was answered before",
    async check(trial) {
      const key = trial.keyOf("k");
      let version = "";
      // Both connections have read the key before, so that a cache of one would show.
      for (let write = 0; write < 20; write++) {
        const answer = await trial.cells.swap(key, version, `value ${write}`, KEEP_MS);
        expectThat(key, "a swap over the present version to write", answer.swapped, answer);
        version = answer.version;
        const present = { value: `value ${write}`, version };
        expectSame(key, "a read after a write to return", contentsOf(await trial.cells.read(key)), present);
        expectSame(
          key,
          "a read after a write of another connection to return",
          contentsOf(await trial.otherCells.read(key)),
          present,
        );
      }
    },
  },
];
