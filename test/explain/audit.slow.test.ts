// Audit: properties of any input.

import { Audit, type AuditReport } from "bitflake/explain";
import fc from "fast-check";
import { expect, test } from "vitest";
import { auditOf, id, nowMs, range, START } from "./audits.ts";

const anyId = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), fc.bigInt({ min: 0n, max: 999n }));
const anyLine = fc.oneof(
  { weight: 6, arbitrary: anyId.map(String) },
  fc.string({ maxLength: 100 }).map((text) => text.replaceAll("\n", "")),
  fc.constantFrom("", " ", "0", "00", "9".repeat(19), "1".repeat(5000)),
  // Of long lines a reader keeps the beginning until their end comes.
  fc
    .tuple(fc.constantFrom("", "5"), fc.integer({ min: 50, max: 150 }), fc.constantFrom("", "6", "x", "6 7"))
    .map(([before, blanks, after]) => before + " ".repeat(blanks) + after),
);

test("lines in any chunks give the report of their IDs one by one", () => {
  fc.assert(
    fc.property(fc.array(anyLine, { maxLength: 60 }), fc.array(fc.nat({ max: 50 })), (lines, cuts) => {
      const text = lines.join("\n");
      const written = new Audit("x", { nowMs });
      let at = 0;
      for (const cut of cuts) {
        written.write(text.slice(at, at + cut));
        at += cut;
      }
      written.write(text.slice(at));
      const added = new Audit("x", { nowMs });
      let invalid = 0;
      for (const line of lines) {
        const trimmed = line.replace(/^[ \t\r]+|[ \t\r]+$/g, "");
        if (trimmed === "") continue;
        try {
          added.add(trimmed);
        } catch {
          invalid++;
        }
      }
      const { findings, ...report } = written.report();
      const { findings: same, ...one } = added.report();
      expect(report).toEqual({ ...one, invalid });
      expect(findings.filter(({ kind }) => kind !== "invalid")).toEqual(same);
    }),
  );
});

test("every ID is counted in one shard and, without strays and duplicates, in one bar and one node", () => {
  const times = fc.array(fc.integer({ min: 0, max: 25 * 86_400_000 }), { maxLength: 200 });
  fc.assert(
    fc.property(times, fc.integer({ min: 2, max: 4096 }), (offsets, shards) => {
      const ids = [...new Set(offsets)].map((ms, i) => id(ms, i % 32, i));
      const report = auditOf(ids, { shards });
      const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0);
      const { from, widthMs, counts } = report.histogram;
      expect(report.shards).toEqual(
        range(shards).map((shard) => ids.filter((one) => one % BigInt(shards) === BigInt(shard)).length),
      );
      expect(sum(counts)).toBe(ids.length);
      expect(sum(report.nodes.map((node) => node.ids))).toBe(ids.length);
      expect(counts.length).toBeLessThanOrEqual(256);
      // Each bar has the IDs of its span.
      counts.forEach((count, i) => {
        const start = +from + i * widthMs - START;
        expect([...new Set(offsets)].filter((ms) => ms >= start && ms < start + widthMs)).toHaveLength(count);
      });
    }),
  );
});

test("a repeated ID is found as long as nothing has taken its place, and one that is not repeated never is", () => {
  fc.assert(
    fc.property(fc.uniqueArray(anyId, { minLength: 1, maxLength: 100 }), fc.nat(), (ids, at) => {
      const duplicates = (report: AuditReport) =>
        report.findings.find(({ kind }) => kind === "duplicate")?.count;
      expect(duplicates(auditOf(ids, {}, "x"))).toBeUndefined();
      const repeated = ids[at % ids.length] as bigint;
      const next = ids.flatMap((one) => (one === repeated ? [one, one] : [one]));
      expect(duplicates(auditOf(next, {}, "x"))).toBe(1);
    }),
  );
});
