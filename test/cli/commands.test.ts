// The commands without a store: their output as text and as JSON, and their errors.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decode, makeGenerator } from "bitflake";
import { NumericIdType } from "bitflake/numeric";
import { base32, base58, base62, hex } from "bitflake/text";
import { afterAll, describe, expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { OutputClosedError } from "../../src/cli/io.ts";
import { cli } from "./cliIo.ts";

const cwd = mkdtempSync(join(tmpdir(), "bitflake-cli-"));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));
writeFileSync(
  join(cwd, "types.json"),
  '\uFEFF{ "farmer": { "length": 10 }, "card": { "length": 6, "rules": "mosip" } }',
);
writeFileSync(join(cwd, "broken.json"), '{ "farmer": { "length": 99 } }');
writeFileSync(join(cwd, "no.json"), "{");

/** The lines of an output. */
const lines = (text: string) => text.split("\n").slice(0, -1);

const ID = "911780371413233664";

describe("new", () => {
  test("generates one ID of Twitter's layout", async () => {
    const before = Date.now();
    const { code, out, err } = await cli("new");
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^\d+\n$/);
    const { timestampMs, datacenterId, machineId } = decode(out.trim(), "twitter");
    expect([datacenterId, machineId]).toEqual([0, 0]);
    expect(timestampMs).toBeGreaterThanOrEqual(before);
  });

  test("generates many increasing IDs, and writes them in chunks", async () => {
    const { out, writes } = await cli("new --count 25000");
    const ids = lines(out).map(BigInt);
    expect(ids).toHaveLength(25_000);
    expect(ids.every((id, i) => i === 0 || id > (ids[i - 1] as bigint))).toBe(true);
    expect(writes).toHaveLength(3);
  });

  test("takes its node from variables, and flags override them", async () => {
    const env = { FLAKEID_DATACENTER_ID: "3", FLAKEID_MACHINE_ID: "9", FLAKEID_EPOCH_MS: "1420070400000" };
    const of = async (line: string) => {
      const { datacenterId, machineId, timestampMs } = decode(
        (await cli(line, { env })).out.trim(),
        "twitter",
      );
      return [datacenterId, machineId, timestampMs > Date.now() + 1e11];
    };
    expect(await of("new")).toEqual([3, 9, true]);
    expect(await of("new --machine-id 4")).toEqual([3, 4, true]);
    expect(await of("new --datacenter-id=0 --epoch-ms 1577836800000")).toEqual([0, 9, false]);
  });

  test.each([
    ["hex", hex],
    ["base32", base32],
    ["base58", base58],
    ["base62", base62],
  ])("writes %s, and in JSON the decimal ID as well", async (format, codec) => {
    const { out } = await cli(["new", "--format", format, "--count", "2"]);
    for (const text of lines(out)) decode(codec.decode(text), "twitter");
    const { id, text } = JSON.parse((await cli(["new", "--format", format, "--json"])).out);
    expect(codec.encode(BigInt(id))).toBe(text);
  });

  test("writes one JSON object per line, with the ID as a string", async () => {
    const { out } = await cli("new --count 2 --json");
    expect(lines(out).map((line) => Object.keys(JSON.parse(line)))).toEqual([["id"], ["id"]]);
    expect(typeof JSON.parse(lines(out)[0] as string).id).toBe("string");
  });

  test("writes text with a prefix, in base32 unless a form is given", async () => {
    const [line = ""] = lines((await cli("new --prefix user")).out);
    expect(line).toMatch(/^user_[0-9A-Z]{13}$/);
    decode(base32.decode(line.slice(5)), "twitter");
    const { id, text } = JSON.parse((await cli("new --prefix user --format hex --json")).out);
    expect(text).toBe(`user_${hex.encode(BigInt(id))}`);
  });

  test("has short flags", async () => {
    const { out } = await cli("new -n 3 -p safe_integer -f hex -j");
    expect(lines(out)).toHaveLength(3);
    expect(JSON.parse(lines(out)[0] as string).text).toMatch(/^000[0-9a-f]{13}$/);
    expect(lines((await cli("new -n2")).out)).toHaveLength(2);
    expect(JSON.parse((await cli("new -n x -j")).err).error.code).toBe("ERR_ARGUMENT");
  });

  test("leases its node if none is given, and releases it", async () => {
    const env = { BITFLAKE_STATE_DIR: mkdtempSync(join(tmpdir(), "bitflake-new-")) };
    const machineOf = async () => decode((await cli("new", { env })).out.trim(), "twitter").machineId;
    // Nodes that were never leased come first.
    expect([await machineOf(), await machineOf(), await machineOf()]).toEqual([0, 1, 2]);
    const few = "new --timestamp-bits 52 --machine-bits 1 --sequence-bits 10";
    for (let i = 0; i < 5; i++) expect(await cli(few, { env })).toMatchObject({ code: 0 });
    rmSync(env.BITFLAKE_STATE_DIR, { recursive: true });
  });

  test("requires a machine if a datacenter is given", async () => {
    for (const given of [
      { line: "new --datacenter-id 3" },
      { line: "new", env: { FLAKEID_DATACENTER_ID: "3" } },
    ]) {
      const { code, err } = await cli(given.line, { env: given.env ?? {} });
      expect([code, err]).toEqual([2, expect.stringContaining("error: a datacenter requires a machine: ")]);
    }
    // This layout has no datacenter field.
    expect(await cli("new --preset single_dc --datacenter-id 0")).toMatchObject({ code: 0 });
  });

  test("repeats no ID of a layout without nodes when the clock was set back, and fails if it was set back far", async () => {
    const env = { BITFLAKE_STATE_DIR: mkdtempSync(join(tmpdir(), "bitflake-new-")) };
    const line = "new --preset minimal --count 3000";
    let now = Date.now();
    const ids: string[] = [];
    const run = async () => {
      const { code, out, err } = await cli(line, { env, now: () => now++ });
      ids.push(...lines(out));
      return { code, err };
    };
    expect(await run()).toEqual({ code: 0, err: "" });
    now -= 50; // Far enough back to get the same ticks, and not far enough for the error.
    expect(await run()).toEqual({ code: 0, err: "" });
    expect(new Set(ids).size).toBe(6000);
    now -= 3_600_000;
    expect(await run()).toEqual({
      code: 1,
      err: expect.stringMatching(/^error: the clock is more than 60 s behind .* --machine-id 0 /),
    });
    expect((await cli(`${line} --epoch-ms 4000000000000`, { env })).err).toMatch(/^error: .*epoch/i);
    rmSync(env.BITFLAKE_STATE_DIR, { recursive: true });
  });

  test("waits for the ticks of a slow layout", async () => {
    // One ID in 50 ms.
    const line = "new --count 3 --timestamp-bits 53 --machine-bits 10 --sequence-bits 0 --tick-ms 50";
    expect(new Set(lines((await cli(line)).out)).size).toBe(3);
  });

  test("takes the preset from a variable", async () => {
    const { out } = await cli("new", { env: { BITFLAKE_PRESET: "safe_integer" } });
    expect(Number.isSafeInteger(Number(out))).toBe(true);
  });

  test("exits with 0 and without an error when its reader is gone", async () => {
    let writes = 0;
    const onWrite = (where: string) => {
      writes++;
      if (where === "stdout" && writes === 3) throw new OutputClosedError();
    };
    expect(await cli("new --count 1000000", { onWrite })).toMatchObject({ code: 0, err: "" });
    expect(writes).toBe(3);
  });
});

describe("decode", () => {
  const fields = (id: string) => ({ ...decode(id, "twitter"), id });

  test("prints the fields of each ID, separated by an empty line", async () => {
    const { code, out } = await cli(`decode ${ID} 0`);
    expect(code).toBe(0);
    const [first = "", second = ""] = out.split("\n\n");
    expect(lines(`${first}\n`).map((line) => line.split(/ {2,}/)[1])).toEqual(
      Object.values(fields(ID)).map(String).sort(byPosition(first)),
    );
    expect(second).toContain("generated at  2020-01-01T00:00:00.000Z\n");
  });

  test("writes one JSON object per ID, with the ID as a string", async () => {
    const { out } = await cli(`decode ${ID} 0 --json`);
    expect(lines(out).map((line) => JSON.parse(line))).toEqual([fields(ID), fields("0")]);
  });

  test("reads lines of the standard input that arrive in any chunks", async () => {
    const stdin = [`${ID}\r\n\n  `, "1", "2\n", "\n3"];
    const { code, out } = await cli("decode --json", { stdin });
    expect(code).toBe(0);
    expect(lines(out).map((line) => JSON.parse(line).id)).toEqual([ID, "12", "3"]);
    expect(await cli("decode", { stdin: "" })).toEqual({ code: 0, out: "", err: "", writes: [] });
  });

  test("refuses an overlong line, and does not decode its beginning", async () => {
    const long = `${ID}${" ".repeat(5000)}xyz`;
    for (const stdin of [`${long}\n`, long, [...long]]) {
      expect(await cli("decode", { stdin })).toMatchObject({ code: 1, out: "" });
    }
  });

  test("prints a prompt when the standard input is a terminal", async () => {
    const { err } = await cli("decode", { stdin: "1\n", terminal: ["stdin"] });
    expect(err).toBe("Reading IDs, one per line; Ctrl-D ends.\n");
    expect((await cli("decode 1", { terminal: ["stdin"] })).err).toBe("");
  });

  test.each([
    ["hex", hex.encode(BigInt(ID))],
    ["base32", base32.encode(BigInt(ID)).toLowerCase()],
    ["base58", base58.encode(BigInt(ID))],
    ["base62", base62.encode(BigInt(ID))],
  ])("reads %s", async (format, text) => {
    expect(JSON.parse((await cli(["decode", "--json", "--format", format, text])).out)).toEqual(fields(ID));
  });

  test("decodes with the given preset, widths, epoch and tick", async () => {
    const id = makeGenerator("safe_integer", { machineId: 5 }).nextId();
    const at = async (line: string, env = {}) =>
      JSON.parse((await cli(`decode ${line} --json`, { env })).out);
    expect((await at(`${id} --preset safe_integer`)).machineId).toBe(5);
    expect((await at(`${id} --timestamp-bits 41 --machine-bits 5 --sequence-bits 7`)).machineId).toBe(5);
    expect((await at("0 --epoch-ms=-1000")).timestampMs).toBe(-1000);
    expect((await at("0", { FLAKEID_EPOCH_MS: "5" })).timestampMs).toBe(5);
    expect((await at(`${1n << 22n} --preset twitter --tick-ms 10`)).timestampMs).toBe(1577836800010);
    expect((await at(`${1n << 10n} --timestamp-bits 53`)).timestampMs).toBe(1577836800001);
    const widths = "--preset twitter --datacenter-bits 0 --machine-bits 10";
    expect((await at(`${ID} ${widths}`)).machineId).toBe(39);
  });

  test("reads an ID as Node prints it, with an n at its end", async () => {
    expect(JSON.parse((await cli(`decode ${ID}n -j`)).out)).toEqual(fields(ID));
    expect(await cli("decode --json", { stdin: `${ID}n\n5n\n` })).toMatchObject({ code: 0, err: "" });
    for (const text of ["n", "5nn", "5 n", "-5n", "05n", `${2n ** 63n}n`]) {
      expect(await cli(["decode", "--", text])).toMatchObject({ code: 1, out: "" });
    }
    // In the other forms n is a digit.
    expect((await cli("decode 0000000000n --format base62 --json")).code).toBe(0);
    expect((await cli(`decode ${hex.encode(5n)}n --format hex`)).code).toBe(1);
  });

  test("reads text with a prefix, in base32 unless a form is given", async () => {
    const text = `user_${base32.encode(BigInt(ID))}`;
    expect(JSON.parse((await cli(`decode ${text} --prefix user --json`)).out)).toEqual(fields(ID));
    const other = `user_${hex.encode(BigInt(ID))}`;
    expect(JSON.parse((await cli(`decode ${other} --prefix user -f hex --json`)).out)).toEqual(fields(ID));
    const { code, err } = await cli(`decode ${text} --prefix order`);
    expect([code, err]).toEqual([1, expect.stringContaining("text must be order_ and 13 characters")]);
  });

  test("takes the epoch as a date, which overrides the variable", async () => {
    const at = async (line: string, env = {}) =>
      JSON.parse((await cli(`decode 0 ${line} --json`, { env })).out).timestampMs;
    expect(await at("--epoch 2015-01-01")).toBe(1_420_070_400_000);
    expect(await at("--epoch 2015-01-01T01:00:00+01:00")).toBe(1_420_070_400_000);
    expect(await at("--epoch=1969-12-31T23:59:59Z", { FLAKEID_EPOCH_MS: "5" })).toBe(-1000);
    expect(await at("--preset x --epoch 2015-01-01")).toBe(1_420_070_400_000);
  });

  describe("of an ID whose time is in the future", () => {
    const now = () => decode(ID, "twitter").timestampMs - 60_001;
    const note =
      "note          this time is in the future: another epoch? Set --epoch, --epoch-ms or --preset\n";

    test("has a note, and a field in JSON", async () => {
      const { code, out } = await cli(`decode ${ID}`, { now });
      expect([code, out]).toEqual([
        0,
        expect.stringMatching(new RegExp(`\nsequence {6}0\n${note.replaceAll("?", "\\?")}$`)),
      ]);
      expect(JSON.parse((await cli(`decode ${ID} --json`, { now })).out)).toEqual({
        ...fields(ID),
        isFuture: true,
      });
    });

    test("has none if a clock may be that far ahead, or with the right epoch", async () => {
      const { out } = await cli(`decode ${ID}`, { now: () => now() + 1 });
      expect(out).not.toContain("note");
      const discord = "175928847299117063";
      const at = () => Date.UTC(2018, 0);
      expect((await cli(`decode ${discord}`, { now: at })).out).toContain("another epoch?");
      expect((await cli(`decode ${discord} --preset discord`, { now: at })).out).not.toContain("note");
    });
  });

  test("reports invalid IDs, and prints the others", async () => {
    const { code, out, err } = await cli(`decode x 0 ${2n ** 63n} -- -1`);
    expect(code).toBe(1);
    expect(out).toContain("sequence      0\n");
    expect(lines(err)).toEqual(
      ["x", String(2n ** 63n), "-1"].map(
        (text) =>
          `error: id must be a bigint, decimal string or safe integer from 0 to 2^63-1, got "${text}"`,
      ),
    );
    const { err: json } = await cli("decode x --json");
    expect(JSON.parse(json)).toEqual({
      error: { code: "ERR_INVALID_ID", message: expect.stringMatching(/got "x"$/) },
    });
  });
});

/** Compares values by their positions in a text. */
function byPosition(text: string): (a: string, b: string) => number {
  return (a, b) => text.indexOf(` ${a}`) - text.indexOf(` ${b}`);
}

describe("capacity and layout", () => {
  test("print the library's results as JSON", async () => {
    expect(JSON.parse((await cli("capacity --json")).out)).toEqual(makeGenerator("twitter").capacity());
    const { bits, fields } = JSON.parse((await cli("layout --preset minimal --json")).out);
    expect(bits).toBe(63);
    expect(fields).toEqual([
      { name: "timestamp", bits: 53, high: 62, low: 10 },
      { name: "sequence", bits: 10, high: 9, low: 0 },
    ]);
  });

  test.each([
    "--preset twitter",
    "--preset minimal",
    "--preset safe_integer",
    "--preset large_cluster",
    "--timestamp-bits 53 --datacenter-bits 1 --machine-bits 1 --sequence-bits 8",
    "--timestamp-bits 1 --datacenter-bits 1 --machine-bits 53 --sequence-bits 8",
    "--timestamp-bits 53 --sequence-bits 0",
  ])("a layout of %s is drawn in 80 columns", async (widths) => {
    const { code, out } = await cli(`layout ${widths}`);
    expect(code).toBe(0);
    expect(lines(out)).toHaveLength(5);
    for (const line of lines(out)) expect(line.length).toBe(80);
    if (widths.includes("datacenter-bits 1")) expect(out).toMatch(/ bit \d+ .* 1 bit /s);
  });
});

describe("numeric new", () => {
  test("generates valid and different IDs", async () => {
    const { code, out } = await cli("numeric new --length 8 --rules mosip --count 500");
    expect(code).toBe(0);
    const type = new NumericIdType({ name: "x", length: 8, rules: "mosip" });
    expect(new Set(lines(out)).size).toBe(500);
    expect(lines(out).every((id) => type.validate(id).valid)).toBe(true);
  });

  test("generates IDs of a type in a file, as JSON objects", async () => {
    const { out } = await cli("numeric new --types types.json --type card --json", { cwd });
    expect(JSON.parse(out).id).toMatch(/^\d{6}$/);
  });
});

describe("numeric check", () => {
  test("prints the broken rules", async () => {
    const { code, out } = await cli("numeric check 8349257232 8349257223 --length 10");
    expect(code).toBe(1);
    expect(lines(out)).toEqual([
      "8349257232: valid",
      "8349257223: not valid",
      "  checkDigit: 3 is not the check digit of the digits before it",
      "  repeating: 22 at digit 8 repeats a digit",
    ]);
  });

  test("exits with 0 for valid IDs, also from the standard input", async () => {
    const { code, out } = await cli("numeric check --length 10", { stdin: "8349257232\n\n3029384756\n" });
    expect([code, out]).toEqual([0, "8349257232: valid\n3029384756: valid\n"]);
  });

  test("writes one JSON object per ID", async () => {
    const { out, code } = await cli("numeric check 8349257232 x --types types.json --type farmer --json", {
      cwd,
    });
    expect(code).toBe(1);
    expect(lines(out).map((line) => JSON.parse(line))).toMatchObject([
      { id: "8349257232", valid: true, broken: [] },
      { id: "x", valid: false, broken: [{ rule: "digits" }, { rule: "length" }] },
    ]);
  });

  test("escapes control characters", async () => {
    const { out } = await cli(["numeric", "check", "\u001b[2J1\u009b", "--length", "10"], {
      terminal: ["stdout"],
    });
    expect(out).toMatch(/^"\\u001b\[2J1\?": /);
  });

  test("is colored on a terminal, unless NO_COLOR or TERM=dumb is set", async () => {
    const out = async (env: Record<string, string>, terminal: ("stdout" | "stderr")[] = ["stdout"]) =>
      (await cli("numeric check 8349257232 --length 10", { env, terminal })).out;
    expect(await out({})).toBe("8349257232: \u001b[32mvalid\u001b[39m\n");
    expect(await out({ NO_COLOR: "" })).toContain("\u001b");
    for (const plain of [
      await out({ NO_COLOR: "1" }),
      await out({ NO_COLOR: "0" }),
      await out({ TERM: "dumb" }),
      await out({}, ["stderr"]),
    ]) {
      expect(plain).toBe("8349257232: valid\n");
    }
  });
});

test("--version prints the version of the package", async () => {
  expect(await cli("--version")).toMatchObject({ code: 0, out: `${manifest.version}\n` });
  expect((await cli("--version --json")).out).toBe(`{"version":"${manifest.version}"}\n`);
});

test.each([
  "postgres://me@corp:s3cret@127.0.0.1:1/test",
  "postgres://u:s3c/ret@127.0.0.1:1/test",
  "redis://u:s3c ret@127.0.0.1:1",
  "postgres://127.0.0.1:1/test?password=s3cret",
  "postgres://us er:s3cret@127.0.0.1:1/x",
  "postgres://a/b:s3cret@127.0.0.1:1/x",
  "postgres:///us%2Fer:s3cret@127.0.0.1:1",
  `redis://:${"s3cret".repeat(900)}@127.0.0.1:1`,
])("does not print the password of %s", async (url) => {
  for (const argv of [
    ["lease", "inspect", "--store", url],
    [url],
    ["serve", "--port", url],
    ["new", "--preset", url],
  ]) {
    const { code, out, err } = await cli(argv, { cwd });
    expect(code).not.toBe(0);
    expect(out + err).not.toMatch(/s3c|ret@/);
  }
});

describe("wrong usage exits with 2 and an error that has the remedy", () => {
  const whole = (least: number, most: number) => `must be a whole number from ${least} to ${most}`;
  test.each([
    ["", "a command is required", ""],
    ["--verbose new", 'the command must come first, got "--verbose"', ""],
    ["nwe", 'unknown command "nwe"; did you mean new?', ""],
    ["poool fill", 'unknown command "poool"', ""],
    ["pool", "pool requires a subcommand", "pool"],
    ["pool --store memory:", "pool requires a subcommand", "pool"],
    ["pool drain", 'unknown command "pool drain"', "pool"],
    ["numeric chekc", 'unknown command "numeric chekc"; did you mean numeric check?', "numeric"],
    ["new 5", 'new takes no arguments, got "5"', "new"],
    [
      "new redis://user:verylongpasswordverylongpasswordverylongpassword@host",
      'new takes no arguments, got "redis://user:***@host"',
      "new",
    ],
    ["new --count 0", `--count ${whole(1, 1_000_000)}, got "0"`, "new"],
    ["new --count x", `--count ${whole(1, 1_000_000)}, got "x"`, "new"],
    ["new --count 1000001", `--count ${whole(1, 1_000_000)}, got "1000001"`, "new"],
    ["new --cuont 1", 'unknown option "--cuont"; did you mean --count?', "new"],
    [
      "new --prefix User",
      expect.stringMatching(/^--prefix must be 1 to 63 characters .*, got "User"$/),
      "new",
    ],
    [
      "new --prefix user --format decimal",
      "--prefix requires another --format than decimal: hex, base32, base58, base62",
      "new",
    ],
    ["new --epoch 2999-01-01", "--epoch must be in the past, got 32472144000000", "new"],
    [
      "new --epoch 2015",
      '--epoch must be a date such as 2026-01-31, in UTC, or a time with its zone such as 2026-01-31T12:00:00Z, got "2015"',
      "new",
    ],
    [
      "new --epoch 2015-01-01 --epoch-ms 5",
      "--epoch is another form of --epoch-ms: set only one of them",
      "new",
    ],
    ["new -n 0", `--count ${whole(1, 1_000_000)}, got "0"`, "new"],
    ["new --format hexx", '--format must be one of decimal, hex, base32, base58, base62, got "hexx"', "new"],
    ["new --machine-id 32", "--machine-id must be a whole number from 0 to 31 (5 bits), got 32", "new"],
    ["new --epoch-ms 99999999999999", "--epoch-ms must be in the past, got 99999999999999", "new"],
    [
      "decode 1 --preset twiter",
      expect.stringMatching(/^--preset must be one of twitter, .*, got "twiter"$/),
      "decode",
    ],
    ["decode 1 --sequence-bits 54", `--sequence-bits ${whole(0, 53)}, got "54"`, "decode"],
    ["decode 1 --timestamp-bits 0", `--timestamp-bits ${whole(1, 53)}, got "0"`, "decode"],
    ["decode 1 --timestamp-bits 52", "layout must be 63 or 53 bits, got 62", "decode"],
    ["capacity x", 'capacity takes no arguments, got "x"', "capacity"],
    [
      "capacity --tick-ms 0",
      expect.stringMatching(/^--tick-ms must be a whole number from 1 to \d+, got "0"$/),
      "capacity",
    ],
    ["numeric new", "--length is required, or --types and --type", "numeric new"],
    ["numeric new --length 33", `--length ${whole(2, 32)}, got "33"`, "numeric new"],
    [
      "numeric new --length 2 --count 1000",
      expect.stringMatching(/^--count must be at most \d+, because there are no more IDs, got 1000$/),
      "numeric new",
    ],
    [
      "numeric new --length 9 --types types.json --type farmer",
      "--length cannot be combined with --types: the file defines it",
      "numeric new",
    ],
    [
      "numeric new --rules mosip --types types.json --type farmer",
      "--rules cannot be combined with --types: the file defines it",
      "numeric new",
    ],
    ["numeric new --type farmer", "--types is required", "numeric new"],
    ["numeric check 1 --types types.json", "--type is required with --types", "numeric check"],
    [
      "numeric check 1 --types types.json --type house",
      '--type must be one of farmer, card in types.json, got "house"',
      "numeric check",
    ],
    [
      "numeric check 1 --types types.json --type __proto__",
      '--type must be one of farmer, card in types.json, got "__proto__"',
      "numeric check",
    ],
    [
      "numeric check 1 --types broken.json --type farmer",
      "types.farmer.length in broken.json must be a whole number from 2 to 32, got 99",
      "numeric check",
    ],
    [
      "numeric check 1 --types no.json --type farmer",
      expect.stringMatching(/^no.json must be JSON(: syntax error .*)?$/),
      "numeric check",
    ],
    [
      "numeric check 1 --types absent.json --type farmer",
      expect.stringMatching(/^--types must be a readable file: ENOENT: /),
      "numeric check",
    ],
  ])("%s", async (line, message, help) => {
    const { code, out, err } = await cli(line, { cwd });
    expect([code, out]).toEqual([2, ""]);
    const [error1 = "", hint] = lines(err);
    expect(error1.replace(/^error: /, "")).toEqual(message);
    expect(hint).toBe(`Try \`bitflake ${help}${help && " "}--help\`.`);
    const { code: again, err: json } = await cli(`${line} --json`, { cwd });
    expect(again).toBe(2);
    const { error } = JSON.parse(json);
    expect(Object.keys(error)).toEqual(["code", "message"]);
    expect(error.code).toMatch(/^ERR_(USAGE|ARGUMENT|LAYOUT)$/);
    if (line !== "" && line !== "pool") expect(error.message).toEqual(message);
  });

  test.each([
    [
      { FLAKEID_MACHINE_ID: "32" },
      'FLAKEID_MACHINE_ID must be a whole number from 0 to 31 (5 bits), got "32"',
    ],
    [
      { FLAKEID_EPOCH_MS: "x" },
      'FLAKEID_EPOCH_MS must be a whole number from -100000000000000 to 8640000000000000, got "x"',
    ],
    [
      { BITFLAKE_PRESET: "twiter" },
      'BITFLAKE_PRESET must be one of twitter, minimal, single_dc, large_cluster, high_throughput, safe_integer, x, discord, got "twiter"',
    ],
  ])("the variable %j is named in the error", async (env, message) => {
    expect(await cli("new", { env })).toMatchObject({
      code: 2,
      out: "",
      err: `error: ${message}\nTry \`bitflake new --help\`.\n`,
    });
  });

  test("prints the error in red on a terminal", async () => {
    expect((await cli("nwe", { terminal: ["stderr"] })).err).toContain("\u001b[31merror:\u001b[39m unknown");
  });

  test("does not read --json after --", async () => {
    expect((await cli("new -- --json")).err).toBe(
      'error: new takes no arguments, got "--json"\nTry `bitflake new --help`.\n',
    );
  });

  test("exits with the same code when the error cannot be written", async () => {
    const onWrite = (where: string) => {
      if (where === "stderr") throw new Error("closed");
    };
    expect((await cli("nwe", { onWrite })).code).toBe(2);
    expect((await cli("decode x", { onWrite })).code).toBe(1);
  });
});

test("an unexpected error is reported in one line and without credentials", async () => {
  const failing = (error: unknown) => {
    const onWrite = (where: string) => {
      if (where === "stdout") throw error;
    };
    return cli("capacity --json", { onWrite }).then(({ code, err }) => [code, JSON.parse(err)]);
  };
  const as = (message: string) => [1, { error: { code: "ERR_UNEXPECTED", message } }];
  expect(await failing(new Error("first\n  second at redis://u:secret@h"))).toEqual(
    as("first second at redis://u:***@h"),
  );
  // Some clients report refused connections without a message.
  expect(await failing(Object.assign(new Error(""), { code: "ECONNREFUSED" }))).toEqual(as("ECONNREFUSED"));
  expect(await failing("a text")).toEqual(as("a text"));
  // Durations of the library are in milliseconds; people read them in seconds, minutes or hours.
  expect(await failing(new Error("locked for another 40000 ms, then 999 ms; 5400000 ms in all"))).toEqual(
    as("locked for another 40 s, then 999 ms; 90 min in all"),
  );
});
