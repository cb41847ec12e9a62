// The conformance suite of `CellPort`: runs every rule of its contract on a port, for any test runner.

import { cellKey } from "../../backend/cells.ts";
import type { CellPort } from "../../backend/ports.ts";
import {
  ArgumentError,
  assertKnownOptions,
  assertWhole,
  type BrokenRule,
  ConformanceError,
  freshToken,
} from "../../internal.ts";
import { checkedPort } from "./checkedPort.ts";
import { show, UnmetExpectation } from "./expect.ts";
import { featureRules } from "./featureRules.ts";
import { listRules } from "./listRules.ts";
import { makeRandom } from "./random.ts";
import { randomRules } from "./randomRules.ts";
import type { Amounts, Rule } from "./rule.ts";
import { setupRules } from "./setupRules.ts";
import { swapRules } from "./swapRules.ts";
import { textRules } from "./textRules.ts";
import { timeRules } from "./timeRules.ts";

/** The rules, the simple ones first. Not one list, which a bundler would keep where only other exports are used. */
const RULES_BY_TOPIC: readonly (readonly Rule[])[] = [
  setupRules,
  swapRules,
  textRules,
  timeRules,
  listRules,
  randomRules,
  featureRules,
];

/** More bytes than any key of bitflake has. */
const MAX_KEY_BYTES = 3072;

/** Returns all rules. */
function allRules(): Rule[] {
  return RULES_BY_TOPIC.flat();
}

/** Options of {@link runConformance} and {@link conformanceCases}. An unknown name is refused. */
export interface ConformanceOptions {
  /**
   * The seed of the random operations, from 0 to 2^32 - 1. Default: a random one. A report and an error have it, so that a run
   * can be repeated.
   */
  readonly seed?: number | undefined;
  /**
   * The number of random operations of each rule that has some, from 1 to 1,000,000. Default 200.
   */
  readonly operations?: number | undefined;
  /**
   * The number of cells in the longest list, from 1 to 1,000,000. Default 1100, because many stores list a thousand keys in one
   * answer.
   */
  readonly listedCells?: number | undefined;
  /**
   * The size of the longest key in bytes of UTF-8, from 200 to 3072. Default 3072: the longest key that bitflake makes is not longer.
   * Set the limit of your store if it is lower; it then limits the names of features and the keys of their clients.
   */
  readonly keyBytes?: number | undefined;
  /**
   * The size of the largest value in bytes of UTF-8, from 100 to 16,777,216. Default 100,000. Set the limit of your store if it is
   * lower; it then limits the results that idempotency keys can store.
   */
  readonly valueBytes?: number | undefined;
  /**
   * A port of another connection to the same store, as another process has one. It has to see what the first one writes. Default:
   * the port itself.
   */
  readonly other?: CellPort | undefined;
}

/** A case of the suite, for a test runner. */
export interface ConformanceCase {
  /** The rule in words, which is unique. */
  readonly name: string;
  /**
   * Checks the rule.
   *
   * @throws {@link ConformanceError} if the port breaks it
   */
  readonly run: () => Promise<void>;
}

/** The result of {@link runConformance} if the port keeps all rules. */
export interface ConformanceReport {
  /** The seed of the random operations. */
  readonly seed: number;
  /** The rules that were checked. */
  readonly passed: readonly string[];
  /** The rules that do not apply, because the port has no `list` or no `setup`. */
  readonly skipped: readonly string[];
}

interface Settings extends Amounts {
  readonly seed: number;
  readonly other: CellPort | undefined;
}

function resolveSettings(options: ConformanceOptions): Settings {
  assertKnownOptions(options, ["seed", "operations", "listedCells", "keyBytes", "valueBytes", "other"]);
  const { seed = Math.floor(Math.random() * 2 ** 32), other } = options;
  const { operations = 200, listedCells = 1100, keyBytes = MAX_KEY_BYTES, valueBytes = 100_000 } = options;
  return {
    seed: assertWhole("seed", seed, 0, 2 ** 32 - 1),
    operations: assertWhole("operations", operations, 1, 1_000_000),
    listedCells: assertWhole("listedCells", listedCells, 1, 1_000_000),
    keyBytes: assertWhole("keyBytes", keyBytes, 200, MAX_KEY_BYTES),
    valueBytes: assertWhole("valueBytes", valueBytes, 100, 2 ** 24),
    other: other && assertCellPort("other", other),
  };
}

/** Asserts that a value has the methods of a port. */
function assertCellPort(field: string, port: CellPort): CellPort {
  const { read, swap } = Object(port) as Partial<CellPort>;
  if (typeof read === "function" && typeof swap === "function") return port;
  throw new ArgumentError(field, "an object with read() and swap()", port);
}

/** Returns whether a rule is about something that the port has. */
function applies({ needs }: Rule, port: CellPort): boolean {
  return needs === undefined || port[needs] !== undefined;
}

/** Checks a rule. Resolves to the broken rule and its cause, or to nothing. */
async function check(
  rule: Rule,
  port: CellPort,
  { seed, other, ...amounts }: Settings,
): Promise<{ readonly broken: BrokenRule; readonly cause: unknown } | undefined> {
  const name = `conformance ${freshToken().slice(0, 8)}`;
  const cells = checkedPort(port);
  try {
    await rule.check({
      ...amounts,
      port,
      cells,
      otherCells: other ? checkedPort(other) : cells,
      // Each rule has numbers of its own, so that one alone does the same as among all.
      random: makeRandom(seed + allRules().indexOf(rule)),
      name,
      keyOf: (key, of = name) => cellKey(port, "test", of, key),
    });
    return undefined;
  } catch (error) {
    const expectation = featureRules.includes(rule) ? "no error of the feature" : "no error";
    const unmet =
      error instanceof UnmetExpectation
        ? error
        : new UnmetExpectation("", expectation, show(error), { cause: error });
    const { key, expected, actual, cause } = unmet;
    return { broken: { rule: rule.name, key, expected, actual }, cause };
  }
}

/**
 * Checks that a port keeps the contract of {@link CellPort}, so that every feature works on it: the answers of `read` and `swap`,
 * versions, concurrent swaps, keys and values, time, lists; then a counter, a rate limit, an idempotency key and leases with random
 * operations, compared with the same in memory. It calls `setup` first if the port has one.
 *
 * It writes a few thousand cells under the port's `prefix`, with the feature name `test` and a new name in each run. Most may be
 * deleted an hour later. Use a store for tests, or delete the keys that begin with `<prefix>:test:`, `<prefix>:counter:conformance`,
 * `<prefix>:rate:conformance`, `<prefix>:once:conformance` and `<prefix>:lease:conformance` afterwards.
 *
 * @param port the port
 * @param options `seed`, default random; `operations`, default 200; `listedCells`, default 1100; `keyBytes`, default
 *   3072; `valueBytes`, default 100,000; `other`, default the port
 * @returns the rules that were checked, and those that do not apply
 * @throws {@link ConformanceError} if the port breaks rules. It has all that are broken; those of the features are checked only
 *   if no other is
 * @throws the error of the port's `setup` if it fails
 * @throws {@link ArgumentError} if the port or an option is wrong
 *
 * @example
 * ```ts
 * import type { CellPort } from "bitflake/backend";
 * import { runConformance } from "bitflake/testing";
 *
 * const cells = new Map<string, { value: string; version: string }>();
 * const cellOf = (key: string) => cells.get(key) ?? { value: undefined, version: "" };
 * const port: CellPort = {
 *   read: async (key) => cellOf(key),
 *   async swap(key, version, value) {
 *     if (cellOf(key).version !== version) return { ...cellOf(key), swapped: false };
 *     cells.set(key, { value, version: crypto.randomUUID() });
 *     return { ...cellOf(key), swapped: true };
 *   },
 * };
 * const { skipped } = await runConformance(port);
 * skipped.includes("leases grant each node to one holder"); // => true
 * ```
 */
export async function runConformance(
  port: CellPort,
  options: ConformanceOptions = {},
): Promise<ConformanceReport> {
  const settings = resolveSettings(options);
  const { seed } = settings;
  assertCellPort("port", port);
  await port.setup?.();
  const passed: string[] = [];
  const skipped: string[] = [];
  const found = [];
  for (const rule of allRules()) {
    // On broken cells the features would fail as well, and slowly.
    if (rule === featureRules[0] && found.length > 0) break;
    if (!applies(rule, port)) {
      skipped.push(rule.name);
      continue;
    }
    const failure = await check(rule, port, settings);
    if (failure) found.push(failure);
    else passed.push(rule.name);
  }
  const [first] = found;
  if (first)
    throw new ConformanceError(
      found.map(({ broken }) => broken),
      seed,
      { cause: first.cause },
    );
  return { seed, passed, skipped };
}

/**
 * Returns the cases of {@link runConformance} one by one, for a test runner to register. `setup` is called before the first one
 * that runs.
 *
 * @param port the port, or a function that returns it. The function is called once, when the first case runs; so the port may be
 *   made in a hook such as `beforeAll`. A case that does not apply to the port then passes; with a port itself it is left out
 * @param options as for {@link runConformance}
 * @throws {@link ArgumentError} if the port or an option is wrong
 *
 * @example
 * ```ts
 * import { conformanceCases } from "bitflake/testing";
 *
 * const cases = conformanceCases(() => ({
 *   read: async () => ({ value: undefined, version: "" }),
 *   swap: async () => ({ value: undefined, version: "", swapped: false }), // writes nothing
 * }));
 * // In a test file: for (const { name, run } of cases) test(name, run);
 * const broken = cases.find(({ name }) => name.startsWith("a swap over a version writes once"));
 * await broken?.run().catch(({ code }) => code); // => 'ERR_CONFORMANCE'
 * ```
 */
export function conformanceCases(
  port: CellPort | (() => CellPort | Promise<CellPort>),
  options: ConformanceOptions = {},
): ConformanceCase[] {
  const settings = resolveSettings(options);
  const isLazy = typeof port === "function";
  const open = isLazy ? port : () => port;
  if (!isLazy) assertCellPort("port", port);
  let opened: Promise<CellPort> | undefined;
  const openOnce = async () => {
    const own = assertCellPort("port", await open());
    await own.setup?.();
    return own;
  };
  return allRules()
    .filter((rule) => isLazy || applies(rule, port))
    .map((rule) => ({
      name: rule.name,
      run: async () => {
        opened ??= openOnce();
        const own = await opened;
        if (!applies(rule, own)) return;
        const failure = await check(rule, own, settings);
        if (failure) throw new ConformanceError([failure.broken], settings.seed, { cause: failure.cause });
      },
    }));
}
