// Findings of a run: reads all IDs and logs, and finds repeated IDs, shared stamps and wrong order.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LAYOUT } from "./workers.ts";

const SEQUENCE = BigInt(LAYOUT.sequenceBits);
/** The default epoch. */
const EPOCH = 1_577_836_800_000;

/** A line of a holder's log. */
export interface Entry {
  readonly process: string;
  readonly at: number;
  readonly event: string;
  readonly [fact: string]: unknown;
}

/** The IDs of one generator in one thread, in the order in which they were made. */
interface Sheet {
  /** `<process>.<lease>`. */
  readonly lease: string;
  readonly file: string;
  readonly ids: BigUint64Array;
}

export interface Findings {
  readonly ids: number;
  readonly files: number;
  /** The first thousand IDs that occur more than once. */
  readonly repeated: readonly bigint[];
  /** How many IDs are repeats of another. */
  readonly repeats: number;
  /**
   * Stamps (a node and a tick) that IDs of two leases have. Whether an ID then repeats depends on its sequence, so this
   * detects a fault much sooner.
   */
  readonly shared: readonly number[];
  /** The files in which an ID is not larger than the one before. */
  readonly disordered: readonly string[];
  readonly log: readonly Entry[];
  /** How many IDs the processes of each role made. */
  readonly idsByRole: ReadonlyMap<string, number>;
  /** Returns the nodes of the IDs in a time span. */
  nodesBetween(from: number, to: number): Set<number>;
  /** Describes a stamp: the files with IDs of it, and the logs of their processes. */
  explain(stamp: number): string;
}

/** Reads the IDs of a file. A killed process may leave half an ID at the end, which was never issued. */
function readIds(path: string): BigUint64Array {
  const bytes = readFileSync(path);
  const words = new BigUint64Array(Math.floor(bytes.length / 8));
  new Uint8Array(words.buffer).set(bytes.subarray(0, words.byteLength));
  return words;
}

function readLog(folder: string, file: string): Entry[] {
  const lines = readFileSync(join(folder, file), "utf8").split("\n").slice(0, -1);
  return lines.map((line) => ({ process: file.replace(/\.log$/, ""), ...JSON.parse(line) }));
}

/** Returns the node and tick of an ID, as one number. */
export const stampOf = (id: bigint): number => Number(id >> SEQUENCE);
const nodeOf = (stamp: number): number => stamp % 2 ** LAYOUT.machineBits;

/** Returns the stamps of IDs, each once if the IDs are in order, and whether they are. */
function stampsOf(ids: BigUint64Array): { stamps: number[]; isOrdered: boolean } {
  const stamps: number[] = [];
  let isOrdered = true;
  let last = -1n;
  let next = 0n;
  for (const id of ids) {
    if (id <= last) isOrdered = false;
    if (id >= next || id <= last) {
      stamps.push(stampOf(id));
      next = ((id >> SEQUENCE) + 1n) << SEQUENCE;
    }
    last = id;
  }
  return { stamps, isOrdered };
}

/** Returns the IDs that occur more than once. */
function repeatsOf(sheets: readonly Sheet[]): { repeated: bigint[]; repeats: number } {
  const all = new BigUint64Array(sheets.reduce((length, { ids }) => length + ids.length, 0));
  let at = 0;
  for (const { ids } of sheets) {
    all.set(ids, at);
    at += ids.length;
  }
  all.sort();
  const repeated: bigint[] = [];
  let repeats = 0;
  let last = -1n;
  for (const id of all) {
    if (id === last) {
      repeats++;
      if (repeated.at(-1) !== id && repeated.length < 1000) repeated.push(id);
    }
    last = id;
  }
  return { repeated, repeats };
}

/** Reads all files of a folder: `<process>.<lease>.<thread>.ids` and `<process>.log`. */
export function readFindings(folder: string, tickMs: number): Findings {
  const timeOf = (stamp: number) => EPOCH + Math.floor(stamp / 2 ** LAYOUT.machineBits) * tickMs;
  const names = readdirSync(folder).sort();
  const log = names.filter((name) => name.endsWith(".log")).flatMap((file) => readLog(folder, file));
  log.sort((a, b) => a.at - b.at);
  const sheets = names
    .filter((name) => name.endsWith(".ids"))
    .map((file) => ({
      file,
      lease: file.split(".").slice(0, 2).join("."),
      ids: readIds(join(folder, file)),
    }));
  const disordered: string[] = [];
  const idsByRole = new Map<string, number>();
  const holders = new Map<number, string>();
  const shared: number[] = [];
  for (const { file, lease, ids } of sheets) {
    const role = /\d+-(\w+)/.exec(file)?.[1] ?? "";
    idsByRole.set(role, (idsByRole.get(role) ?? 0) + ids.length);
    const { stamps, isOrdered } = stampsOf(ids);
    if (!isOrdered) disordered.push(file);
    for (const stamp of stamps) {
      const holder = holders.get(stamp) ?? lease;
      if (holder !== lease) shared.push(stamp);
      holders.set(stamp, holder);
    }
  }

  function explain(stamp: number): string {
    const what = `node ${nodeOf(stamp)} at ${timeOf(stamp)} ms`;
    const found = sheets.flatMap(({ file, lease, ids }) => {
      const some = ids.filter((id) => stampOf(id) === stamp);
      const sequence = (id: bigint) => BigInt.asUintN(LAYOUT.sequenceBits, id);
      if (some.length === 0) return [];
      const made = `${some.length} IDs in ${file}, from sequence ${sequence(some[0])} to ${sequence(some[some.length - 1])}`;
      return [{ process: lease.split(".")[0], made }];
    });
    const processes = new Set(found.map(({ process }) => process));
    const logLines = log
      .filter(({ process }) => processes.has(process))
      .map((entry) => JSON.stringify(entry));
    return [what, ...found.map(({ made }) => made), ...logLines].join("\n  ");
  }

  return {
    ids: sheets.reduce((count, { ids }) => count + ids.length, 0),
    files: sheets.length,
    ...repeatsOf(sheets),
    shared,
    disordered,
    log,
    idsByRole,
    nodesBetween(from, to) {
      const stamps = [...holders.keys()].filter((stamp) => timeOf(stamp) >= from && timeOf(stamp) < to);
      return new Set(stamps.map(nodeOf));
    },
    explain,
  };
}

/** Counts the log entries of an event with the given facts. */
export function count(
  log: readonly Entry[],
  event: string,
  facts: Readonly<Record<string, unknown>> = {},
): number {
  return log.filter(
    (entry) => entry.event === event && Object.entries(facts).every(([name, value]) => entry[name] === value),
  ).length;
}
