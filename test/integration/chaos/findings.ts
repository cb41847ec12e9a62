// What the processes of a run left behind: all IDs, whatever is wrong with them, and the story of each lease.

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

/** The IDs that one thread had of one generator, in the order in which it had them. */
interface Sheet {
  /** `<process>.<lease>`, and which of its threads. */
  readonly lease: string;
  readonly file: string;
  readonly ids: BigUint64Array;
}

export interface Findings {
  readonly ids: number;
  readonly files: number;
  /** IDs that are there more than once; the first thousand of them. */
  readonly repeated: readonly bigint[];
  /** How many IDs there are too many. */
  readonly repeats: number;
  /**
   * Stamps, which are a node's tick, that IDs of two leases have. Where this is so, whether an ID repeats is a matter of
   * luck; so it finds what is wrong much sooner.
   */
  readonly shared: readonly number[];
  /** Files in which an ID does not exceed the one before. */
  readonly disordered: readonly string[];
  readonly log: readonly Entry[];
  /** How many IDs the processes of each role made. */
  readonly idsByRole: ReadonlyMap<string, number>;
  /** Which nodes made IDs whose time is in a span, and which processes did. */
  madeBetween(from: number, to: number): { nodes: Set<number>; processes: Set<string> };
  /** All that is known of a stamp: who made IDs of it, and the story of their leases. */
  explain(stamp: number): string;
}

/** A process that was killed may leave half an ID at the end: nobody had that one. */
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

/** The node and tick of an ID, as one number. */
export const stampOf = (id: bigint): number => Number(id >> SEQUENCE);
const nodeOf = (stamp: number): number => stamp % 2 ** LAYOUT.machineBits;

/** The stamps of IDs, each once where they are in order; and whether they are. */
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

/** The IDs that are there more than once. */
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

/** Reads all that is in a folder: `<process>.<lease>.<thread>.ids` and `<process>.log`. */
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
    const story = log.filter(({ process }) => processes.has(process)).map((entry) => JSON.stringify(entry));
    return [what, ...found.map(({ made }) => made), ...story].join("\n  ");
  }

  return {
    ids: sheets.reduce((count, { ids }) => count + ids.length, 0),
    files: sheets.length,
    ...repeatsOf(sheets),
    shared,
    disordered,
    log,
    idsByRole,
    madeBetween(from, to) {
      const [nodes, processes] = [new Set<number>(), new Set<string>()];
      for (const [stamp, lease] of holders) {
        const time = timeOf(stamp);
        if (time < from || time >= to) continue;
        nodes.add(nodeOf(stamp));
        processes.add(lease.split(".")[0] ?? "");
      }
      return { nodes, processes };
    },
    explain,
  };
}

/** How often something happened, by the log. */
export function count(
  log: readonly Entry[],
  event: string,
  facts: Readonly<Record<string, unknown>> = {},
): number {
  return log.filter(
    (entry) => entry.event === event && Object.entries(facts).every(([name, value]) => entry[name] === value),
  ).length;
}
