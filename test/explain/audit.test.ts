// Audit: each fault that it finds, and those that it does not report.

import { readFileSync } from "node:fs";
import { encode, type PresetName } from "bitflake";
import { Audit, type AuditOptions, type AuditReport, FINDING_KINDS } from "bitflake/explain";
import { describe, expect, test } from "vitest";
import { auditOf, id, nowMs, range, START } from "./audits.ts";

/** The kinds of the findings, without that of the shards, which few IDs show by chance. */
const kinds = ({ findings }: AuditReport) =>
  findings.map(({ kind }) => kind).filter((kind) => kind !== "shard-skew");

/** IDs of several nodes, each with one every 10 ms. */
const quiet = (count: number, nodes = 4) =>
  range(count).flatMap((i) => range(nodes).map((node) => id(10 * i, node, i % 7)));

describe("a report", () => {
  test("of nothing has no times", () => {
    const report = auditOf([]);
    expect(report).toMatchObject({ ids: 0, invalid: 0, nodeCount: 0, nodes: [], findings: [] });
    expect(report).not.toHaveProperty("first");
    expect(report.histogram.counts).toEqual([]);
  });

  test("has counts, times, nodes, shards and the end of the timestamp", () => {
    const report = auditOf([...quiet(100), id(5, 3)]);
    expect(report).toMatchObject({
      ids: 401,
      first: new Date(START),
      last: new Date(START + 990),
      nodeCount: 4,
      wrapsAt: new Date(1_577_836_800_000 + 2 ** 41 - 1),
      daysToWrap: Math.floor((1_577_836_800_000 + 2 ** 41 - 1 - nowMs) / 86_400_000),
    });
    expect(report.nodes[0]).toEqual({
      datacenterId: 0,
      machineId: 3,
      ids: 101,
      first: new Date(START),
      last: new Date(START + 990),
    });
    expect(report.shards.reduce((a, b) => a + b)).toBe(401);
    expect(report.histogram.counts.reduce((a, b) => a + b)).toBe(401);
    expect(kinds(report)).toEqual([]);
  });

  test("may be made more than once, while IDs follow", () => {
    const audit = new Audit("twitter", { nowMs });
    audit.write(`${id(0)}`);
    expect(audit.report().ids).toBe(1);
    audit.write(`${id(1)}\n`);
    expect(audit.report().ids).toBe(2);
  });

  test("in the middle of a line ends the line, and the next text begins one", () => {
    const audit = new Audit("twitter", { nowMs });
    audit.write("12");
    expect(audit.report().ids).toBe(1);
    audit.write("34\n56");
    expect(audit.report().ids).toBe(3);
    expect(audit.report().ids).toBe(3);
  });

  test("of a text with a byte order mark at its start has the first ID", () => {
    const counts = (...texts: string[]) => {
      const audit = new Audit("twitter", { nowMs });
      for (const text of texts) audit.write(text);
      const { ids, invalid } = audit.report();
      return [ids, invalid];
    };
    expect(counts("\ufeff1\n2\n")).toEqual([2, 0]);
    expect(counts("", "\ufeff", "1", "\n2\n")).toEqual([2, 0]);
    expect(counts("1\n\ufeff2\n")).toEqual([1, 1]);
    expect(counts("1", "\ufeff\n")).toEqual([0, 1]);
    expect(counts("\ufeff\ufeff1\n")).toEqual([0, 1]);
  });
});

describe("finds", () => {
  test("a duplicate, with its first ID", () => {
    const report = auditOf([...quiet(100), id(990, 2, 1)]);
    expect(kinds(report)).toEqual(["duplicate"]);
    expect(report.findings[0]).toMatchObject({ certainty: "certain", count: 1, example: `${id(990, 2, 1)}` });
  });

  test("every duplicate of a sorted input", () => {
    const ids = [...quiet(500), ...quiet(500).filter((_, i) => i % 3 === 0)].sort((a, b) => (a < b ? -1 : 1));
    const report = auditOf(ids, { order: "sorted" });
    expect(kinds(report)).toEqual(["duplicate"]);
    expect(report.findings[0]?.count).toBe(667);
  });

  test("that an input is not sorted", () => {
    expect(kinds(auditOf([id(2), id(1), id(3)], { order: "sorted" }))).toEqual(["not-sorted"]);
  });

  test("two writers on one node by their clocks", () => {
    const ids = range(100).flatMap((i) => [id(10_000 + 10 * i, 1), id(10 * i, 1, 1), id(10_000 + 10 * i, 2)]);
    const report = auditOf(ids);
    expect(report.findings.find(({ kind }) => kind === "two-writers")).toMatchObject({
      certainty: "likely",
      count: 99,
      datacenterId: 0,
      machineId: 1,
      farthestMs: 10_000,
    });
  });

  test("a clock that stepped back, once", () => {
    const ids = [...range(100).map((i) => id(10 * i, 1)), ...range(50).map((i) => id(10 * i - 60_000, 1))];
    const { findings } = auditOf(ids);
    expect(findings).toContainEqual(
      expect.objectContaining({ kind: "clock-backward", count: 1, machineId: 1, farthestMs: 60_990 }),
    );
  });

  test("one step back, and no second writer, if the IDs are also out of order within the tolerance", () => {
    const jitter = (i: number) => id(10 * i - (i % 2) * 500, 1);
    const ids = [
      ...range(100).map(jitter),
      id(-60_000, 1),
      ...range(100).map((i) => id(2000 + 10 * i - (i % 2) * 500, 1)),
    ];
    expect(kinds(auditOf(ids))).toEqual(["clock-backward"]);
  });

  test("the clock of one node that is ahead of the others", () => {
    const ids = range(100).flatMap((i) =>
      range(4).map((node) => id(10 * i + (node === 2 ? 120_000 : 0), node)),
    );
    const report = auditOf(ids);
    expect(kinds(report)).toEqual(["clock-ahead"]);
    expect(report.findings.at(-1)).toMatchObject({ machineId: 2, farthestMs: 120_000 });
    expect(report.findings.at(-1)?.message).toContain("2 min");
  });

  test("the clock of one node that is behind the others", () => {
    const ids = range(100).flatMap((i) => range(4).map((node) => id(10 * i - (node === 2 ? 5000 : 0), node)));
    const report = auditOf(ids);
    expect(kinds(report)).toEqual(["clock-behind"]);
    expect(report.findings.at(-1)).toMatchObject({ machineId: 2, count: 100, farthestMs: 5000 });
  });

  test("full sequences", () => {
    const report = auditOf([...quiet(10), id(100, 0, 4095), id(101, 1, 4095)]);
    expect(kinds(report)).toEqual(["sequence-end"]);
    expect(report.findings[0]).toMatchObject({ count: 2, example: `${id(100, 0, 4095)}` });
  });

  test("times in the future, and the epoch that would explain them", () => {
    const ids = range(10).map((i) => encode({ timestampMs: START + i }, "x"));
    const report = auditOf(ids);
    expect(kinds(report)).toEqual(["future"]);
    expect(report.findings[0]).toMatchObject({ certainty: "certain", count: 10, example: `${ids[0]}` });
    expect(report.findings[0]?.message).toContain("2010-11-04 (X)");
  });

  test("times in the future without a known epoch", () => {
    const report = auditOf([id(nowMs - START + 3 * 365 * 86_400_000)]);
    expect(kinds(report)).toEqual(["future"]);
    expect(report.findings[0]?.message).not.toContain("with the epoch");
  });

  test("some IDs of another epoch among others", () => {
    const ids = range(1000).map((i) =>
      i % 50 === 7 ? encode({ timestampMs: START + i }, "discord") : id(i),
    );
    const report = auditOf(ids);
    expect(kinds(report)).toEqual(["future", "other-epoch"]);
    expect(report.findings.at(-1)).toMatchObject({ certainty: "likely", count: 20 });
    expect(report.findings.at(-1)?.message).toContain("2015-01-01 (Discord)");
    // The certain findings count them, with the time that they have in this layout; the traces of the nodes do not.
    expect(report.findings[0]).toMatchObject({ certainty: "certain", count: 20 });
    expect(report.last).toEqual(new Date(START + 957 + 1_577_836_800_000 - 1_420_070_400_000));
    expect(report.histogram.counts.reduce((a, b) => a + b)).toBe(1000);
    expect(report.nodes).toMatchObject([{ ids: 980, last: new Date(START + 999) }]);
  });

  test("full sequences of IDs of another epoch", () => {
    const other = encode({ timestampMs: START, sequence: 4095 }, "discord");
    expect(kinds(auditOf([...quiet(10), other]))).toEqual(["sequence-end", "future", "other-epoch"]);
  });

  test.each([[63], [64], [500]])("at most 63 of %i IDs in a row of another epoch", (count) => {
    const other = range(count).map((i) => encode({ timestampMs: START + i }, "discord"));
    const report = auditOf([...range(10).map((i) => id(i)), ...other]);
    expect(report.findings.find(({ kind }) => kind === "other-epoch")).toMatchObject({ count: 63 });
    expect(report.findings.find(({ kind }) => kind === "future")).toMatchObject({ count });
    expect(report.nodes[0]?.ids).toBe(10 + count - 63);
  });

  test("the last time after a pause that is as long as two epochs are apart", () => {
    const later = START + 1_577_836_800_000 - 1_420_070_400_000;
    const early = range(500).map((i) => id(i - (later - START)));
    const late = range(30).map((i) => id(i));
    const report = auditOf([...early, ...late]);
    expect(report.last).toEqual(new Date(START + 29));
    expect(report.histogram.counts.reduce((a, b) => a + b)).toBe(530);
  });

  test.each([1, 3])("an input in descending order, of %i nodes", (nodes) => {
    const ids = range(3000).map((i) => id(-10 * i, i % nodes, i % 4));
    const report = auditOf(ids);
    expect(kinds(report)).toEqual(["descending"]);
    expect(report.findings[0]).toMatchObject({ certainty: "certain", count: 3000 - nodes });
    expect(report.findings[0]?.message).toContain("descending order");
    // Not if it is in order within the tolerance, and not of few IDs.
    expect(kinds(auditOf(ids.slice(0, 99)))).toEqual([]);
    expect(kinds(auditOf([id(0), id(-60_000)]))).toEqual(["clock-backward"]);
  });

  test("a clock that goes back by steps within the tolerance", () => {
    const slow = (i: number) => (i < 200 ? 10 * i : i < 300 ? 2000 - 100 * (i - 200) : 10 * (i - 300) - 7900);
    const { findings } = auditOf(range(1500).map((i) => id(slow(i), 1, i)));
    expect(findings.map(({ kind }) => kind)).toEqual(["clock-backward"]);
    expect(findings[0]).toMatchObject({ count: 1, farthestMs: 9900 });
  });

  test("a second writer whose IDs go back by steps within the tolerance", () => {
    const saw = range(5).flatMap((k) => [
      ...range(50).map((i) => id(100_000 * k + 10 * i, 1, i)),
      ...range(10).map((i) => id(100_000 * k - 900 * i, 1, 100 + i)),
    ]);
    expect(kinds(auditOf(saw))).toEqual(["two-writers"]);
  });

  test("nothing by a clock with fractions, such as performance.timeOrigin + performance.now()", () => {
    const audit = new Audit("twitter", { clock: () => nowMs + 0.75 });
    audit.add(id(nowMs - START));
    expect(audit.report().findings).toEqual([]);
    const wrong = new Audit("twitter", { clock: () => "now" as unknown as number });
    expect(() => wrong.report()).toThrow("clock() must be a whole number");
  });

  test("times that are more than a minute later than the clock's, at each call", () => {
    let clockMs = nowMs;
    const audit = new Audit("twitter", { clock: () => clockMs });
    const at = (timestampMs: number) => encode({ timestampMs }, "twitter");
    audit.add(at(nowMs + 60_000));
    clockMs += 120_000;
    audit.add(at(clockMs));
    audit.write(`${at(clockMs + 1)}\n`);
    clockMs += 86_400_000;
    expect(audit.report().findings).toEqual([]);
    audit.write(`${at(clockMs + 60_001)}\n`);
    clockMs += 86_400_000;
    const report = audit.report();
    expect(kinds(report)).toEqual(["future"]);
    expect(report.findings[0]).toMatchObject({ count: 1, farthestMs: 60_001 });
    expect(report.findings[0]?.message).toContain("more than a minute later than now: 1");
    expect(report.daysToWrap).toBe(Math.floor((+report.wrapsAt - clockMs) / 86_400_000));
    // With nowMs the clock is not read.
    const fixed = auditOf([at(nowMs + 60_001)], { clock: () => Number.NaN });
    expect(fixed.findings[0]).toMatchObject({ kind: "future", farthestMs: 60_001 });
    expect(() => new Audit("twitter", { clock: () => Number.NaN }).add(1)).toThrow(
      expect.objectContaining({ code: "ERR_ARGUMENT", field: "clock()" }),
    );
  });

  test("that the timestamp has been full", () => {
    const wrapsAtMs = 1_577_836_800_000 + 2 ** 41 - 1;
    const { daysToWrap, findings } = auditOf([], { nowMs: wrapsAtMs + 1.5 * 86_400_000 });
    expect(daysToWrap).toBe(-2);
    expect(findings[0]?.message).toContain("the timestamp has been full for 2 days, so no ID can be made");
  });

  test("that the timestamp is full within a year", () => {
    const wrapsAtMs = 1_577_836_800_000 + 2 ** 41 - 1;
    const days = 86_400_000;
    expect(kinds(auditOf([], { nowMs: wrapsAtMs - 365 * days }))).toEqual([]);
    const report = auditOf([], { nowMs: wrapsAtMs - 364.5 * days });
    expect(kinds(report)).toEqual(["wrap"]);
    expect(report.daysToWrap).toBe(364);
  });

  test("uneven shards, and not those of random sequences", () => {
    const even = range(20_000).map((i) => id(i, 0, i % 4000));
    expect(auditOf(even).findings).toEqual([]);
    const { findings } = auditOf(range(20_000).map((i) => id(i)));
    expect(findings).toContainEqual(expect.objectContaining({ kind: "shard-skew", count: 20_000 }));
    expect(
      auditOf(
        range(20_000).map((i) => id(i)),
        { shards: 3 },
      ).shards,
    ).toHaveLength(3);
  });

  test("uneven shards only from 20 IDs per shard on", () => {
    const found = (count: number) =>
      auditOf(range(count).map((i) => id(i))).findings.some(({ kind }) => kind === "shard-skew");
    expect([found(319), found(320)]).toEqual([false, true]);
  });

  test("every kind that it finds on the list of kinds, once", () => {
    const guide = readFileSync(new URL("../../docs/explain.md", import.meta.url), "utf8");
    const rows = guide.split("\n").filter((line) => /^\| `.*\| (certain|likely) \|/.test(line));
    const listed = rows.flatMap((row) =>
      [...(row.split("|")[1] ?? "").matchAll(/`(.*?)`/g)].map(([, kind]) => kind),
    );
    expect(listed).toEqual(FINDING_KINDS);
  });

  test("lines that are no ID", () => {
    const audit = new Audit("safe_integer", { nowMs });
    audit.write("1\n\n  2 \r\nx\n01\n1e3\n9223372036854775808\n99999999999999999999\n9223372036854775807\n");
    const report = audit.report();
    expect([report.ids, report.invalid]).toEqual([2, 6]);
    expect(kinds(report)).toEqual(["invalid"]);
    expect(report.findings[0]?.example).toBe("x");
  });

  test.each([
    [['"1"\n'], '"1"'],
    [["9223372036854775807\n"], "9223372036854775807"],
    [[`${"1".repeat(41)}\n`], "1".repeat(41)],
    [[`${"1".repeat(42)}\n`], `${"1".repeat(40)}…`],
    // A line that goes on in the next chunks.
    [[" 1", "1".repeat(70), "1".repeat(70), "\n2\n"], `${"1".repeat(40)}…`],
  ])("the first line that is none: %j", (chunks, example) => {
    const audit = new Audit("safe_integer", { nowMs });
    for (const chunk of chunks) audit.write(chunk);
    expect(audit.report().findings[0]).toMatchObject({ kind: "invalid", count: 1, example });
  });

  test("more nodes than it traces", () => {
    const audit = new Audit("large_cluster", { nowMs });
    for (let node = 0; node < 65_536; node++) {
      audit.add(
        encode({ timestampMs: START, datacenterId: node >> 8, machineId: node & 255 }, "large_cluster"),
      );
    }
    expect(audit.report().nodeCount).toBe(65_536);
    expect(kinds(audit.report())).toEqual([]);
    const wide = new Audit(
      { timestampBits: 41, machineBits: 22, datacenterBits: 0, sequenceBits: 0 },
      { nowMs },
    );
    for (let node = 0; node < 65_540; node++) wide.add(BigInt(node));
    expect(wide.report().findings).toContainEqual(expect.objectContaining({ kind: "untracked", count: 4 }));
    expect(wide.report().nodes).toHaveLength(1024);
  });
});

describe("does not report", () => {
  test("IDs that are out of order within the tolerance", () => {
    const ids = range(200).flatMap((i) => [id(10 * i, 0), id(10 * i, 2), id(10 * i - 915, 1)]);
    expect(kinds(auditOf(ids))).toEqual([]);
    expect(kinds(auditOf(ids, { toleranceMs: 900 }))).toEqual(["clock-behind"]);
  });

  test("pauses, of one node or of all", () => {
    const ids = range(20).flatMap((i) => range(4).map((node) => id(3_600_000 * i, node, node)));
    expect(
      kinds(auditOf([...ids, id(90_000_000, 1), ...range(9).map((i) => id(90_000_000 + i, 2))])),
    ).toEqual([]);
  });

  test("the clocks of a sorted input", () => {
    const sorted = [...quiet(100), id(-90_000, 1), id(-90_000, 2)].sort((a, b) => (a < b ? -1 : 1));
    expect(kinds(auditOf(sorted, { order: "sorted" }))).toEqual([]);
  });
});

test.each([
  ["twitter", { now: 1 }],
  ["twitter", { order: "desc" }],
  ["twitter", { toleranceMs: -1 }],
  ["twitter", { shards: 1 }],
  ["twitter", { shards: 4097 }],
  ["twitter", { nowMs: "x" }],
  ["twitter", { clock: 1 }],
  ["nothing", {}],
])("new Audit(%j, %j) is refused", (preset, options) => {
  expect(() => new Audit(preset as PresetName, options as AuditOptions)).toThrow(
    expect.objectContaining({ code: "ERR_ARGUMENT" }),
  );
});

test("a value that is no ID of the layout is refused, and changes nothing", () => {
  const audit = new Audit("safe_integer", { nowMs });
  for (const value of ["01", -1n, 2n ** 53n, 1.5]) {
    expect(() => audit.add(value)).toThrow(expect.objectContaining({ code: "ERR_INVALID_ID" }));
  }
  expect(() => audit.write(7 as unknown as string)).toThrow(
    expect.objectContaining({ code: "ERR_ARGUMENT" }),
  );
  expect(audit.report()).toEqual(new Audit("safe_integer", { nowMs }).report());
});
