// The parser of the command line.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../../src/cli/errors.ts";
import { flagName } from "../../../src/cli/settings/flagTable.ts";
import { parseArgv } from "../../../src/cli/settings/parseArgv.ts";
import { table } from "./exampleTable.ts";

describe("a command line", () => {
  test.each([
    [[], {}, []],
    [["--count", "3"], { count: ["3"] }, []],
    [["--count=3"], { count: ["3"] }, []],
    [["--count=-3"], { count: ["-3"] }, []],
    [["--machine-id", "7", "a", "--json", "b"], { machineId: ["7"], json: [] }, ["a", "b"]],
    [["--name="], { name: [""] }, []],
    [["--name", ""], { name: [""] }, []],
    [["--name=a=b"], { name: ["a=b"] }, []],
    [["--name=a\nb"], { name: ["a\nb"] }, []],
    [["--name", "-"], { name: ["-"] }, []],
    [["-", "--", "--count", "-x"], {}, ["-", "--count", "-x"]],
    [["--", "--"], {}, ["--"]],
    [["--tags", "a", "--tags=b"], { tags: ["a", "b"] }, []],
    [["-h"], { help: [] }, []],
    [["-n", "3"], { count: ["3"] }, []],
    [["-n3", "-l", "a"], { count: ["3"], loud: [] }, ["a"]],
    [["-n=3"], { count: ["3"] }, []],
    [["-n=-3"], { count: ["-3"] }, []],
    [["-n-3"], { count: ["-3"] }, []],
    [["-n", ""], { count: [""] }, []],
    [["--start=1970-01-01"], { start: ["1970-01-01"] }, []],
  ])("%j is split into flags and arguments", (argv, flags, args) => {
    expect(parseArgv(table, argv)).toEqual({ flags, args });
  });

  test.each([
    [["--cuont", "3"], 'unknown option "--cuont"; did you mean --count?'],
    [["--machineId", "3"], 'unknown option "--machineId"; did you mean --machine-id?'],
    [["--whatever"], 'unknown option "--whatever"'],
    [["-x", "3"], 'unknown option "-x"'],
    [["-x3"], 'unknown option "-x3"'],
    [["-lh"], 'unknown option "-lh"'],
    [["-l=yes"], '-l takes no value, got "yes"'],
    [["-n"], "-n requires a value"],
    [["-n", "-3"], "-n requires a value; write a value that begins with a hyphen as -n=VALUE"],
    [["-n", "1", "--count", "1"], "--count is given twice"],
    [["--sart", "1"], 'unknown option "--sart"; did you mean --start?'],
    [["-5"], 'unknown option "-5"'],
    [["--constructor=1"], 'unknown option "--constructor"'],
    [["--__proto__=1"], 'unknown option "--__proto__"'],
    [[`--${"x".repeat(100)}`], `unknown option "--${"x".repeat(62)}"`],
    [["--count"], "--count requires a value"],
    [["--count", "--"], "--count requires a value"],
    [
      ["--count", "--json"],
      "--count requires a value; write a value that begins with a hyphen as --count=VALUE",
    ],
    [["--count", "-3"], "--count requires a value; write a value that begins with a hyphen as --count=VALUE"],
    [["--count", "1", "--count", "1"], "--count is given twice"],
    [["--json", "--json"], "--json is given twice"],
    [["--json=yes"], '--json takes no value, got "yes"'],
    [["--keys", "secret"], "--keys is not available as a flag: others could read them"],
    [["--keys=secret"], "--keys is not available as a flag: others could read them"],
  ])("%j is refused with an error that names the flag", (argv, message) => {
    expect(() => parseArgv(table, argv)).toThrow(new UsageError(message));
  });

  test("that is built from flags and arguments is split into the same flags and arguments", () => {
    const value = fc.oneof(fc.string(), fc.constantFrom("-", "--", "-1", "--json", "a=b", ""));
    const name = fc.constantFrom("count", "machineId", "name", "form", "tags" as const);
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(name, value, fc.boolean()), { selector: ([which]) => which }),
        fc.array(value),
        (given, rest) => {
          const argv = given.flatMap(([which, text, isInline]) =>
            isInline || /^-./s.test(text) ? [`${flagName(which)}=${text}`] : [flagName(which), text],
          );
          expect(parseArgv(table, [...argv, "--", ...rest])).toEqual({
            flags: Object.fromEntries(given.map(([which, text]) => [which, [text]])),
            args: rest,
          });
        },
      ),
    );
  });

  test("is split or refused with a short error, for any words", () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom("--", "--count", "--json", "--tags", "-h", "-n", "-n5", "-l", "--start", "--keys=x"),
    );
    fc.assert(
      fc.property(fc.array(word), (argv) => {
        try {
          const { flags } = parseArgv(table, argv);
          for (const name of Object.keys(flags)) expect([...Object.keys(table), "start"]).toContain(name);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
          expect((error as Error).message.length).toBeLessThan(600);
        }
      }),
    );
  });
});
