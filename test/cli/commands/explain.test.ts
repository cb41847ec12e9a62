// bitflake explain: its text, its JSON, and its exit code.

import { explain } from "bitflake/explain";
import { describe, expect, test } from "vitest";
import { cli } from "../cliIo.ts";

const nowMs = Date.UTC(2026, 10, 28);
const options = { now: () => nowMs };
const DISCORD = "175928847299117063";

describe("explain", () => {
  test("prints three formats, and all with --all", async () => {
    const { code, out } = await cli(`explain ${DISCORD}`, options);
    const all = explain(DISCORD, { nowMs });
    expect(code).toBe(0);
    expect(out.match(/, weight /g)).toHaveLength(3);
    expect(out).toContain(`${DISCORD} may be\n  Discord, weight 99 %\n    time: 2016-04-30T11:18:25.796Z\n`);
    expect(out).toContain("\n    for: ");
    expect(out).toContain(`  and ${all.length - 3} more with less weight: --all prints them\n`);
    const whole = await cli(`explain ${DISCORD} --all`, options);
    expect(whole.out.match(/, weight /g)).toHaveLength(all.length);
    expect(whole.out).toContain("\n    against: ");
  });

  test("prints the library's result as JSON, with the ID", async () => {
    const { out } = await cli(`explain ${DISCORD} hello --json`, options);
    expect(
      out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { id: DISCORD, explanations: explain(DISCORD, { nowMs }) },
      { id: "hello", explanations: [] },
    ]);
  });

  test("takes the time that the caller knows", async () => {
    const { out } = await cli("explain 334385199974967042 --around 2017-07-11", options);
    expect(out).toMatch(/^334385199974967042 may be\n {2}Discord/);
  });

  test("reads lines, and ends with 1 if one has the form of no ID", async () => {
    const stdin = `919108f7-52d1-4320-9bac-f847db4148a8\n\nhe\u001bllo\n`;
    const { code, out } = await cli("explain", { ...options, stdin });
    expect(code).toBe(1);
    expect(out).toContain("UUID v4, weight 100 %\n    time: none\n    fields: version 4\n");
    expect(out.endsWith('\n\n"he\\u001bllo" has the form of no known ID\n')).toBe(true);
  });

  test("shows an empty argument, and characters that change the order or the line", async () => {
    const run = async (text: string) => (await cli(["explain", text], options)).out;
    expect(await run("")).toBe('"" has the form of no known ID\n');
    expect(await run("a\u202eb\u2028c\u2066")).toBe(
      '"a\\u202eb\\u2028c\\u2066" has the form of no known ID\n',
    );
    expect(await run("a\u009bb\u{e0001}")).toBe('"a?b\\udb40\\udc01" has the form of no known ID\n');
    expect(await run("\u{1f600}")).toBe("\u{1f600} has the form of no known ID\n");
  });

  test("prints the names in bold on a terminal", async () => {
    const { out } = await cli(`explain ${DISCORD}`, { ...options, terminal: ["stdout"] });
    expect(out).toContain("\u001b[1mDiscord\u001b[22m");
    const plain = await cli(`explain ${DISCORD}`, {
      ...options,
      terminal: ["stdout"],
      env: { NO_COLOR: "1" },
    });
    expect(plain.out).not.toContain("\u001b");
  });
});
