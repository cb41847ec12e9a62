// The findings of an audit: their facts, certainty and message.

import { KNOWN_EPOCHS } from "./epochs.ts";
import { timeText } from "./guess.ts";
import type { NodeTrace } from "./nodeTrace.ts";

/** The kinds of findings. */
export type FindingKind =
  | "duplicate"
  | "two-writers"
  | "clock-backward"
  | "clock-ahead"
  | "clock-behind"
  | "descending"
  | "sequence-end"
  | "future"
  | "other-epoch"
  | "wrap"
  | "shard-skew"
  | "invalid"
  | "not-sorted"
  | "untracked";

/** One finding of an audit. */
export interface Finding {
  /** The kind of the finding. */
  readonly kind: FindingKind;
  /** `"certain"`: the IDs show it, for any reason. `"likely"`: it is the usual reason for such IDs. */
  readonly certainty: "certain" | "likely";
  /** How many IDs, ticks or lines show it. */
  readonly count: number;
  /** The finding in words, with its facts and the remedy. */
  readonly message: string;
  /** The datacenter of the node that it is about. */
  readonly datacenterId?: number;
  /** The machine of the node that it is about. */
  readonly machineId?: number;
  /** The farthest distance in time, in milliseconds. */
  readonly farthestMs?: number;
  /** The first ID that shows it, as text; of `invalid` the first line, or its first 40 characters. */
  readonly example?: string;
}

/** Every kind of finding, the order as in the guide. */
export const FINDING_KINDS: readonly FindingKind[] = [
  "duplicate",
  "two-writers",
  "clock-backward",
  "clock-ahead",
  "clock-behind",
  "descending",
  "sequence-end",
  "future",
  "other-epoch",
  "wrap",
  "shard-skew",
  "invalid",
  "not-sorted",
  "untracked",
];

/** From how many times as many falls as rises of the times on the input is in descending order. */
const DESCENDING = 3;

/** From how many falls on. */
const LEAST_FALLS = 8;

/** How often a node must return to its highest time until a second writer is the likely reason. */
const RETURNS = 3;

/** Returns a node in words. */
function nodeText({ datacenterId, machineId }: NodeTrace): string {
  return `node ${datacenterId}/${machineId}`;
}

function nodeFacts({ datacenterId, machineId }: NodeTrace): Pick<Finding, "datacenterId" | "machineId"> {
  return { datacenterId, machineId };
}

/** Returns a duration in words, in the largest unit of which there are two. */
function durationText(ms: number): string {
  const units = [
    ["days", 86_400_000],
    ["h", 3_600_000],
    ["min", 60_000],
    ["s", 1000],
  ] as const;
  const [unit, size] = units.find(([, length]) => ms >= 2 * length) ?? ["ms", 1];
  return `${Math.floor(ms / size)} ${unit}`;
}

/** Returns how often something happened, in words. */
function timesText(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}

/** Returns the finding that the times of most IDs are before those of the ones before them. */
function findDescending(traces: readonly NodeTrace[]): Finding[] {
  let [falls, rises, steps] = [0, 0, 0];
  for (const trace of traces) {
    falls += trace.falls;
    rises += trace.rises;
    steps += trace.backSteps;
  }
  if (steps === 0 || falls < LEAST_FALLS || falls <= DESCENDING * rises) return [];
  const message = `IDs that are earlier than the one before of their node: ${falls}, and later: ${rises}. The input is in descending order, which shows no second writer and no clock that steps: pass the oldest ID first`;
  return [{ kind: "descending", certainty: "certain", count: falls, message }];
}

/** Returns the findings from the traces of nodes: a descending input, second writers, and clocks that stepped or differ. */
export function findClocks(traces: readonly NodeTrace[], tickMs: number): Finding[] {
  const findings = findDescending(traces);
  const isDescending = findings.length > 0;
  const stepped = new Set<NodeTrace>();
  for (const trace of traces) {
    const { returns, backSteps, farthestBack } = trace;
    if (backSteps === 0 || isDescending) continue;
    stepped.add(trace);
    const farthestMs = farthestBack * tickMs;
    const facts = { ...nodeFacts(trace), farthestMs, certainty: "likely" as const };
    const far = durationText(farthestMs);
    findings.push(
      returns >= RETURNS
        ? {
            ...facts,
            kind: "two-writers",
            count: returns,
            message: `${nodeText(trace)} may have two writers: its time goes back by up to ${far} and returns, ${timesText(returns)}. Give each process a node of its own, or lease nodes`,
          }
        : {
            ...facts,
            kind: "clock-backward",
            count: backSteps,
            message: `the clock of ${nodeText(trace)} may have stepped back by up to ${far}, ${timesText(backSteps)}, unless the IDs are not in the order of their issue`,
          },
    );
  }
  for (const trace of traces) {
    // The clock that stepped back has its finding.
    const { ahead, behind: all, farthestAhead, farthestBehind } = trace;
    const behind = stepped.has(trace) ? 0 : all;
    const sides = [
      { kind: "clock-ahead", side: "ahead of", count: ahead, farthest: farthestAhead },
      { kind: "clock-behind", side: "behind", count: behind, farthest: farthestBehind },
    ] as const;
    for (const { kind, side, count, farthest } of sides) {
      if (count === 0) continue;
      const farthestMs = farthest * tickMs;
      const message = `the clock of ${nodeText(trace)} may be ${side} those of other nodes, by up to ${durationText(farthestMs)}`;
      findings.push({ kind, certainty: "likely", count, ...nodeFacts(trace), farthestMs, message });
    }
  }
  return findings;
}

/** Returns the finding of times in the future, with the epochs that would explain them. */
export function findFuture(
  count: number,
  lastMs: number,
  epochMs: number,
  nowMs: number,
  farthestMs: number,
  example: string,
): Finding[] {
  if (count === 0) return [];
  // An earlier epoch makes all times earlier.
  const fitting = KNOWN_EPOCHS.filter((known) => {
    const shifted = lastMs - epochMs + known.epochMs;
    return known.epochMs < epochMs && shifted <= nowMs && shifted >= nowMs - 366 * 86_400_000;
  });
  const hint =
    fitting.length > 0
      ? `; with the epoch ${fitting.map(({ name }) => name).join(" or ")} the latest is in the last year`
      : "";
  return [
    {
      kind: "future",
      certainty: "certain",
      count,
      farthestMs,
      example,
      message: `IDs that are more than a minute later than now: ${count}, up to ${timeText(lastMs)}. The epoch or the layout is another one, or a clock is ahead${hint}`,
    },
  ];
}
