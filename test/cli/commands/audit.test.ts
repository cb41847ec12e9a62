// bitflake audit: its text, its JSON, its SVG, and its exit code.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encode } from "bitflake";
import { Audit, drawHistogram } from "bitflake/explain";
import { afterAll, describe, expect, test } from "vitest";
import { auditCommand } from "../../../src/cli/commands/audit.ts";
import { cli, fakeIo } from "../cliIo.ts";

const cwd = mkdtempSync(join(tmpdir(), "bitflake-audit-"));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const nowMs = Date.UTC(2026, 10, 28);
const options = { now: () => nowMs, cwd };
const ids = Array.from({ length: 10 }, (_, i) =>
  encode({ timestampMs: Date.UTC(2026, 9, 1) + i, sequence: i }, "twitter"),
);
const good = ids.map((id) => `${id}\n`).join("");
const twice = good + good.slice(0, good.indexOf("\n"));

describe("audit", () => {
  test("prints facts, and ends with 0 if it finds nothing", async () => {
    const { code, out } = await cli("audit", { ...options, stdin: good });
    expect([code, out]).toEqual([
      0,
      `IDs             10
from            2026-10-01T00:00:00.000Z
to              2026-10-01T00:00:00.009Z
nodes           1
timestamp full  2089-09-06T15:47:35.551Z, in 22928 days

nothing found
`,
    ]);
  });

  test("prints findings with the first ID, and ends with 1", async () => {
    const { code, out } = await cli("audit", {
      ...options,
      stdin: [twice.slice(0, 30), twice.slice(30), "\nx\n"],
    });
    expect(code).toBe(1);
    expect(out).toContain("no IDs          1\n");
    expect(out).toContain("\ncertain: duplicate: repeated IDs: 1. ");
    expect(out).toContain(`; the first is ${ids[0]}\n`);
    expect(out).toContain("\ncertain: invalid: lines that are no ID of this layout: 1. ");
  });

  test("prints the library's report as JSON", async () => {
    const sorted = ids.map(String).reverse().join("\n");
    const audit = new Audit("discord", { nowMs, order: "sorted", shards: 5, toleranceMs: 3 });
    audit.write(sorted);
    const line = "audit --sorted --preset discord --shards 5 --tolerance-ms 3 --json";
    const { code, out } = await cli(line, { ...options, stdin: sorted });
    expect(code).toBe(1);
    expect(JSON.parse(out)).toEqual(JSON.parse(JSON.stringify(audit.report())));
  });

  test("writes the histogram to a file", async () => {
    const { code } = await cli("audit --svg times.svg", { ...options, stdin: good });
    const audit = new Audit("twitter", { nowMs });
    audit.write(good);
    expect(code).toBe(0);
    expect(readFileSync(join(cwd, "times.svg"), "utf8")).toBe(drawHistogram(audit.report()));
  });

  test("prompts on a terminal, in color", async () => {
    const { out, err } = await cli("audit", {
      ...options,
      stdin: twice,
      terminal: ["stdin", "stdout", "stderr"],
    });
    expect(err).toContain("Reading IDs");
    expect(out).toContain("\u001b[31mcertain: duplicate\u001b[39m");
    expect((await cli("audit", { ...options, stdin: good, terminal: ["stdout"] })).out).toContain(
      "\u001b[32mnothing found",
    );
  });

  test("takes no arguments, and refuses wrong flags", async () => {
    expect((await cli("audit ids.txt", options)).code).toBe(2);
    expect((await cli("audit --shards 1", options)).code).toBe(2);
    const dash = await cli("audit --svg -", { ...options, stdin: good });
    expect([dash.code, dash.out]).toEqual([2, ""]);
    expect(dash.err).toContain("--svg must be a file");
  });

  test("prints the report even if the histogram cannot be written", async () => {
    const { code, out, err } = await cli("audit --svg no/such/folder.svg", { ...options, stdin: good });
    expect(code).toBe(1);
    expect(out).toContain("nothing found");
    expect(err).toContain("error: --svg: ENOENT: no such file");
    const json = await cli("audit --svg no/such/folder.svg --json", { ...options, stdin: good });
    expect(JSON.parse(json.err).error).toMatchObject({ code: "ERR_WRITE_FILE" });
  });

  test.each([[""], ["\n \n"], ["\ufeff"]])("fails if %j has no line", async (stdin) => {
    const { code, out, err } = await cli("audit --json", { ...options, stdin });
    expect([code, out]).toEqual([1, ""]);
    expect(JSON.parse(err).error).toMatchObject({ code: "ERR_NO_INPUT" });
    expect((await cli("audit", { ...options, stdin })).err).toContain("no IDs were read");
  });

  test("finds that there are no IDs, also if the lines that are none are left out", async () => {
    const stdin = "id\n9b2f3c1e-0c5b-4f6e-8a55-2d1f0f5f4c11\n";
    expect((await cli("audit", { ...options, stdin })).out).toContain("certain: invalid");
    const { code, out, err } = await cli("audit --ignore invalid --json", { ...options, stdin });
    expect([code, out]).toEqual([1, ""]);
    expect(JSON.parse(err).error).toEqual({
      code: "ERR_NO_INPUT",
      message: "no IDs were read: none of the lines that were read, 2, is one",
    });
  });

  test("leaves kinds out", async () => {
    const stdin = `${twice}\nx\n`;
    const some = await cli("audit --ignore duplicate", { ...options, stdin });
    expect(some.code).toBe(1);
    expect(some.out).not.toContain("duplicate");
    expect(some.out).toContain("certain: invalid");
    const all = await cli("audit --ignore duplicate --ignore invalid --json", { ...options, stdin });
    expect([all.code, JSON.parse(all.out).findings]).toEqual([0, []]);
    const wrong = await cli("audit --ignore shards", { ...options, stdin });
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain("--ignore must be one of duplicate, ");
  });

  test("of uneven shards exits with 1 only with --shards", async () => {
    const stdin = Array.from(
      { length: 1000 },
      (_, i) => `${encode({ timestampMs: nowMs - 9_999_999 + i }, "twitter")}\n`,
    ).join("");
    const { code, out } = await cli("audit", { ...options, stdin });
    expect([code, out.includes("certain: shard-skew")]).toEqual([0, true]);
    expect((await cli("audit --shards 16", { ...options, stdin })).code).toBe(1);
    const { findings } = JSON.parse((await cli("audit --json", { ...options, stdin: `${stdin}x\n` })).out);
    expect(findings.map(({ kind }: { kind: string }) => kind)).toEqual(["invalid", "shard-skew"]);
  });

  test("shows the first line that is no ID, without control characters", async () => {
    const { out } = await cli("audit", { ...options, stdin: `${good}\n"1"\u001b[31m\n` });
    expect(out).toContain(
      'certain: invalid: lines that are no ID of this layout: 1. They were skipped; the first is "\\"1\\"\\u001b[31m"\n',
    );
  });

  test("reads the clock while it reads, so that new IDs are not in the future", async () => {
    let clockMs = nowMs;
    const at = (timestampMs: number) => `${encode({ timestampMs }, "twitter")}\n`;
    async function* stdin() {
      yield at(nowMs);
      clockMs += 120_000;
      yield at(clockMs);
    }
    const { io, written } = fakeIo({ now: () => clockMs });
    const live = { ...io, stdin: { isTTY: false, [Symbol.asyncIterator]: stdin } };
    expect(await auditCommand.run([], live)).toBe(0);
    expect(written.stdout.join("")).toContain("nothing found");
  });

  test("says when the timestamp was full, and that there are more nodes", async () => {
    const late = { ...options, now: () => nowMs + 70 * 365.25 * 86_400_000 };
    const old = await cli("audit", { ...late, stdin: good });
    expect(old.out).toMatch(/timestamp full {2}2089-09-06T15:47:35\.551Z, \d+ days ago\n/);
    const stdin = Array.from({ length: 65_537 }, (_, i) => `${i}\n`).join("");
    const line = "audit --timestamp-bits 41 --datacenter-bits 0 --machine-bits 22 --sequence-bits 0";
    const many = await cli(`${line} --ignore untracked`, { ...options, stdin });
    expect(many.out).toContain("nodes           65536 or more\n");
    const exact = await cli(line, { ...options, stdin: stdin.slice(0, stdin.lastIndexOf("65536")) });
    expect(exact.out).toContain("nodes           65536\n");
  });
});
