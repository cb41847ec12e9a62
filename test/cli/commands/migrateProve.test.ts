// migrate prove: its verdicts as text and as JSON, its exit codes, and the names of flags in errors.

import { proveMigration } from "bitflake/migrate";
import { describe, expect, test } from "vitest";
import { cli } from "../cliIo.ts";

const cutOver = "--cut-over 2026-12-01";
const sapphire = "migrate prove --from sapphire --from-epoch 2015-01-01 --from-nodes 1";

describe("migrate prove", () => {
  test("prints what the library returns, as JSON", async () => {
    const { code, out, err } = await cli(
      `${sapphire} --from-nodes=3-4,40 --from-since 2020-01-01 --from-until 2026-12-02 --to single_dc --to-epoch-ms 1420070400000
      --to-nodes 0-9 --to-since 2026-11-30 --to-until 2040-01-01 --to-tick-ms 1 ${cutOver} --max-skew-ms 7 --json`,
    );
    const verdict = proveMigration({
      from: {
        scheme: "sapphire",
        epochMs: Date.UTC(2015, 0, 1),
        nodes: [1, [3, 4], 40],
        since: Date.UTC(2020, 0, 1),
        until: Date.UTC(2026, 11, 2),
      },
      to: {
        scheme: "single_dc",
        epochMs: Date.UTC(2015, 0, 1),
        nodes: [[0, 9]],
        since: Date.UTC(2026, 10, 30),
        until: Date.UTC(2040, 0, 1),
      },
      cutOver: Date.UTC(2026, 11, 1),
      maxSkewMs: 7,
    });
    expect([code, err]).toEqual([1, ""]);
    expect(verdict.disjoint).toBe(false);
    expect(out).toBe(`${JSON.stringify(verdict)}\n`);
  });

  test("exits with 1 for a collision, and prints the pair and the remedy", async () => {
    const { code, out, err } = await cli(`${sapphire} --to discord --to-nodes 0-3 ${cutOver}`);
    expect([code, err]).toEqual([1, ""]);
    expect(
      out,
    ).toBe(`collision: both sides can issue 1577111970119684096: the old one at 2026-11-30T23:59:55.000Z, the new one at 2026-11-30T23:59:55.000Z
old  1577111970119684096  2026-11-30T23:59:55.000Z  datacenter 0  machine 1  sequence 0
new  1577111970119684096  2026-11-30T23:59:55.000Z  datacenter 0  machine 1  sequence 0
ordered with --to-since 2026-12-01T00:00:10.000Z or later, or with --to-epoch-ms=1420070390000 or earlier
`);
    const remedied = await cli(`${sapphire} --to discord --to-since 2026-12-01T00:00:10.000Z ${cutOver}`);
    expect(remedied.code).toBe(0);
    expect(remedied.out).toMatch(/^disjoint and ordered: /);
    const epoch = await cli(`${sapphire} --to discord --to-epoch-ms=1420070390000 ${cutOver}`);
    expect(epoch.out).toMatch(/^disjoint and ordered: /);
  });

  test("exits with 0 for IDs that are disjoint and not ordered, with a remedy that has no epoch if the new side ends", async () => {
    const { code, out } = await cli(`${sapphire} --to discord --to-nodes 2 --to-until 2040-01-01 ${cutOver}`);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^disjoint, not ordered: no ID is in both sides, .*\nlargest old .*\nsmallest new .*\n/,
    );
    expect(out).toMatch(/\nordered with --to-since 2026-12-01T00:00:09.999Z or later\n$/);
  });

  test("prints a serial number without fields, and no remedy where there is none", async () => {
    const { code, out } = await cli(
      "migrate prove --from serial --from-min 5 --from-max 900 --to 2.0.0.3 --to-epoch 2026-12-01 --cut-over 2026-12-01",
    );
    expect(code).toBe(1);
    expect(
      out,
    ).toBe(`collision: both sides can issue 5: the old one by counting, the new one at 2026-12-01T00:00:00.000Z
old  5
new  5  2026-12-01T00:00:00.000Z  datacenter 0  machine 0  sequence 5
`);
  });

  test("of UUIDs prints the reason alone", async () => {
    const { code, out } = await cli(`migrate prove --from uuid --to twitter ${cutOver}`);
    expect(code).toBe(0);
    expect(out).toMatch(/^disjoint, not ordered: a UUID is no BIGINT[^\n]*\n$/);
  });

  test.each([
    ["--from serial --from-max 9 --to twitter", "to", "twitter"],
    ["--from minimal --to x --to-epoch 2010-11-04", "from", "minimal"],
  ])(
    "of a preset without its epoch is refused while a variable sets that of the generators: %s",
    async (sides, side, name) => {
      const env = { FLAKEID_EPOCH_MS: "1796083200000" };
      const { code, out, err } = await cli(`migrate prove ${sides} ${cutOver}`, { env });
      expect([code, out]).toEqual([2, ""]);
      expect(err).toContain(
        `--${side}-epoch or --${side}-epoch-ms is required with --${side} ${name}, because FLAKEID_EPOCH_MS sets the epoch of generators`,
      );
      const flag = `--${side}-epoch-ms=1577836800000`;
      expect((await cli(`migrate prove ${sides} ${flag} ${cutOver}`, { env })).err).toBe("");
    },
  );

  test("paints the verdict on a terminal", async () => {
    const painted = async (line: string) => (await cli(line, { terminal: ["stdout"] })).out.slice(0, 30);
    expect(await painted(`${sapphire} --to discord ${cutOver}`)).toContain("\u001b[31mcollision\u001b[39m");
    expect(await painted(`${sapphire} --to discord --to-nodes 2 ${cutOver}`)).toContain("\u001b[32mdisjoint");
  });

  test.each([
    ["--to twitter", "--cut-over is required"],
    [cutOver, "--to is required"],
    [`--to serial ${cutOver}`, "--to must be one of twitter, minimal"],
    [`--to 41.10.13.12 ${cutOver} --to-epoch 2020-01-01`, "--to must be 63 bits or fewer, got 76"],
    [`--to 60.0.0.1 ${cutOver} --to-epoch 2020-01-01`, "--to must be a whole number from 1 to 53, got 60"],
    [`--to 41.10.12 ${cutOver}`, "--to must be one of twitter, minimal"],
    [
      `--to sapphire ${cutOver}`,
      "--to-epoch-ms must be a Date, or milliseconds since 1970, from -100000000000000 (-001199-02-15T14:13:20.000Z) to 8640000000000000 (+275760-09-13T00:00:00.000Z), got undefined",
    ],
    [
      `--to twitter ${cutOver} --to-nodes 7-`,
      '--to-nodes must be nodes or ranges of them, such as 0-31,40, got "7-"',
    ],
    [
      `--to twitter ${cutOver} --to-nodes 1024`,
      "--to-nodes must be a whole number from 0 to 1023 (10 bits), got 1024",
    ],
    [
      `--to twitter ${cutOver} --from-nodes x`,
      '--from-nodes must be nodes or ranges of them, such as 0-31,40, got "x"',
    ],
    [
      `--to twitter ${cutOver} --to-since 2099-01-01`,
      "--to-since must be a Date, or milliseconds since 1970, from -100000000000000 (-001199-02-15T14:13:20.000Z) to 3776860060551 (2089-09-06T15:47:40.551Z)",
    ],
    [
      `--to twitter ${cutOver} --from-until 2010-01-01`,
      "--from-until must be a Date, or milliseconds since 1970, from 1288834974658 (2010-11-04T01:42:54.658Z) to 3487858225209 (2080-07-10T17:30:25.209Z), got 1262304000000",
    ],
    [
      "--to twitter --cut-over 2010-01-01",
      "--from-until must be a Date, or milliseconds since 1970, from 1288834974658 (2010-11-04T01:42:54.658Z) to 3487858225209 (2080-07-10T17:30:25.209Z), got 1262304000000",
    ],
    [`--to twitter ${cutOver} --from-max 5`, '--from-max cannot be combined with --from "x"'],
  ])("--from x %s is wrong usage", async (line, message) => {
    const { code, out, err } = await cli(`migrate prove --from x ${line}`);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(`error: ${message}`);
  });

  test.each([
    ["serial", "--from-max is required with --from serial"],
    ["serial --from-max x", '--from-max must be a whole number from 0 to 2^63-1, got "x"'],
    ["serial --from-max 0", "--from-max must be a bigint or a safe integer from 1 to 2^63-1, got 0n"],
    ["serial --from-max 5 --from-nodes 3", '--from-nodes cannot be combined with --from "serial"'],
    ["uuid --from-epoch 2020-01-01", '--from-epoch cannot be combined with --from "uuid"'],
    ["uuid --from-min 2", '--from-min cannot be combined with --from "uuid"'],
    ["snow", "--from must be one of twitter, minimal"],
  ])("--from %s is wrong usage", async (from, message) => {
    const { code, out, err } = await cli(`migrate prove --from ${from} --to twitter ${cutOver}`);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(`error: ${message}`);
  });
});
