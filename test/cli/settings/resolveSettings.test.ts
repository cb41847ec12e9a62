// The value of each setting, from its origins.

import { describe, expect, test } from "vitest";
import { UsageError } from "../../../src/cli/errors.ts";
import type { FlagTable } from "../../../src/cli/settings/flagTable.ts";
import { parseArgv } from "../../../src/cli/settings/parseArgv.ts";
import { type Origins, resolveSettings } from "../../../src/cli/settings/resolveSettings.ts";
import { ArgumentError } from "../../../src/internal.ts";
import { table } from "./exampleTable.ts";

const nothing: Origins = { flags: {}, env: {} };
const path = "x.json";

describe("a setting", () => {
  test("has the default of the table if it is not given", () => {
    const { values, sources } = resolveSettings(table, nothing);
    expect(values).toEqual({ count: 1, form: "plain", json: false, loud: false, help: false });
    expect(sources.machineId).toBe("--machine-id");
  });

  test("is taken from the flag before the variable, the file and the default", () => {
    const file = { path, content: { count: 4 } };
    const env = { COUNT: "3" };
    const flags = { count: ["2"] };
    const of = (origins: Partial<Origins>) => {
      const { values, sources } = resolveSettings(table, { ...nothing, ...origins });
      return [values.count, sources.count];
    };
    expect(of({ flags, env, file })).toEqual([2, "--count"]);
    expect(of({ env, file })).toEqual([3, "COUNT"]);
    expect(of({ file })).toEqual([4, "count in x.json"]);
    expect(of({ env: { COUNT: "" }, file })).toEqual([4, "count in x.json"]);
    expect(of({ env: { COUNT: "" } })).toEqual([1, "--count"]);
  });

  test.each([
    [
      "flags",
      { flags: { tags: ["a", "b"], types: ["t.json"] } },
      { tags: ["a", "b"], types: { path: "t.json" } },
    ],
    [
      "variables",
      { env: { TAGS: "a, b", TYPES: "t.json" } },
      { tags: ["a", "b"], types: { path: "t.json" } },
    ],
    [
      "a file",
      { file: { path, content: { tags: ["a"], types: { x: 1 }, loud: true, keys: ["k"] } } },
      { tags: ["a"], types: { content: { x: 1 } }, loud: true, keys: ["k"] },
    ],
    ["a file, a path", { file: { path, content: { types: "t.json" } } }, { types: { path: "t.json" } }],
    ["a switch", { flags: { json: [] } }, { json: true }],
    ["a switch over a variable", { flags: { loud: [] }, env: { LOUD: "false" } }, { loud: true }],
    ["a variable with false", { env: { LOUD: "false" } }, { loud: false }],
    ["a variable with 0", { env: { LOUD: "0" } }, { loud: false }],
    ["a variable with true", { env: { LOUD: "true" } }, { loud: true }],
    ["a variable with 1", { env: { LOUD: "1" } }, { loud: true }],
    ["a flag with a word", { flags: { size: ["all"] } }, { size: 0 }],
    ["a variable with a word", { env: { SIZE: "all" } }, { size: 0 }],
    ["a file with a word", { file: { path, content: { size: "all" } } }, { size: 0 }],
    ["a file with the number", { file: { path, content: { size: 9 } } }, { size: 9 }],
  ])("is read from %s", (_, origins, wanted) => {
    expect(resolveSettings(table, { ...nothing, ...origins }).values).toMatchObject(wanted);
  });

  const rule = "must be a whole number from -5 to 100, got";
  const list = "must be a list of at least one string, none of them empty; if it is not set, anyone may";
  test.each([
    [{ flags: { count: ["x"] } }, `--count ${rule} "x"`],
    [{ flags: { count: ["101"] } }, `--count ${rule} "101"`],
    [{ flags: { count: [""] } }, `--count ${rule} ""`],
    [{ flags: { count: ["1e1"] } }, `--count ${rule} "1e1"`],
    [{ flags: { count: ["-0"] } }, `--count ${rule} "-0"`],
    [{ flags: { count: ["01"] } }, `--count ${rule} "01"`],
    [{ flags: { count: [" 1"] } }, `--count ${rule} " 1"`],
    [{ env: { COUNT: "x" } }, `COUNT ${rule} "x"`],
    [{ flags: { size: ["0"] } }, '--size must be a whole number from 1 to 9, or all, got "0"'],
    [{ flags: { size: ["toString"] } }, '--size must be a whole number from 1 to 9, or all, got "toString"'],
    [
      { file: { path, content: { size: "9" } } },
      'size in x.json must be a whole number from 1 to 9, or all, got "9"',
    ],
    [{ file: { path, content: { count: "3" } } }, `count in x.json ${rule} "3"`],
    [{ file: { path, content: { count: null } } }, `count in x.json ${rule} null`],
    [{ flags: { form: ["round"] } }, '--form must be one of plain, odd, got "round"'],
    [{ env: { FORM: "redis://u:pw@h" } }, 'FORM must be one of plain, odd, got "redis://u:***@h"'],
    [{ flags: { name: [""] } }, '--name must be a string that is not empty, got ""'],
    [{ file: { path, content: { loud: 1 } } }, "loud in x.json must be true or false, got 1"],
    [{ env: { TYPES: "" }, flags: { types: [""] } }, '--types must be the path of a JSON file, got ""'],
    [
      { file: { path, content: { types: [] } } },
      "types in x.json must be the path of a JSON file, got [object]",
    ],
    // The entries of a list may be secrets.
    [{ env: { KEYS: "secret,,b" } }, `KEYS ${list}, got [object]`],
    [{ file: { path, content: { keys: "secret" } } }, `keys in x.json ${list}, got [object]`],
    // A list that is set and empty differs from a list that is not set.
    [{ env: { KEYS: "" } }, `KEYS ${list}, got ""`],
    [{ env: { KEYS: " , " } }, `KEYS ${list}, got [object]`],
    [{ file: { path, content: { keys: [] } } }, `keys in x.json ${list}, got ""`],
    [{ env: { TAGS: "" } }, 'TAGS must be a list of at least one string, none of them empty, got ""'],
    [{ env: { LOUD: "yes" } }, 'LOUD must be true or false, got "yes"'],
  ])("from %j is refused with an error that names its origin", (origins, message) => {
    const attempt = () => resolveSettings(table, { ...nothing, ...origins });
    expect(attempt).toThrow(ArgumentError);
    expect(attempt).toThrow(message);
  });

  test.each([
    [{ cuont: 3 }, 'unknown setting "cuont" in x.json; did you mean count?'],
    [{ json: true }, 'unknown setting "json" in x.json'],
    [{ constructor: 1 }, 'unknown setting "constructor" in x.json'],
    [JSON.parse('{"__proto__": 1}'), 'unknown setting "__proto__" in x.json'],
  ])("of the file is refused if the table has none of the name: %j", (content, message) => {
    expect(() => resolveSettings(table, { ...nothing, file: { path, content } })).toThrow(
      new UsageError(message),
    );
  });

  test("is accepted under its former name, from each origin, with its former values", () => {
    const renamed = {
      onError: {
        kind: "choice",
        choices: ["fail", "allow"],
        description: "what happens",
        env: "ON_ERROR",
        deprecatedName: { name: "onFailure", env: "ON_FAILURE", values: { closed: "fail", open: "allow" } },
      },
      name: { kind: "text", placeholder: "NAME", description: "a name", deprecatedName: { name: "space" } },
    } as const satisfies FlagTable;
    const of = (origins: Partial<Origins>) => {
      const { values, sources } = resolveSettings(renamed, { ...nothing, ...origins });
      return [values.onError, sources.onError];
    };
    const { flags } = parseArgv(renamed, ["--on-failure", "open", "--space=x"]);
    expect(flags).toEqual({ onFailure: ["open"], space: ["x"] });
    expect(of({ flags })).toEqual(["allow", "--on-failure"]);
    expect(resolveSettings(renamed, { ...nothing, flags }).values.name).toBe("x");
    expect(of({ env: { ON_FAILURE: "closed" } })).toEqual(["fail", "ON_FAILURE"]);
    const file = { path, content: { onFailure: "open" } };
    expect(of({ file })).toEqual(["allow", "onFailure in x.json"]);
    // The origin decides, whichever the name.
    expect(of({ file, env: { ON_ERROR: "fail" } })).toEqual(["fail", "ON_ERROR"]);
    expect(of({ env: { ON_FAILURE: "open" }, flags: { onError: ["fail"] } })).toEqual(["fail", "--on-error"]);
    expect(of({ env: { ON_ERROR: "fail" }, flags })).toEqual(["allow", "--on-failure"]);
    expect(of({})).toEqual([undefined, "--on-error"]);
    for (const [origins, message] of [
      [{ flags: { onFailure: ["fail"] } }, '--on-failure must be one of closed, open, got "fail"'],
      [{ flags: { onError: ["open"] } }, '--on-error must be one of fail, allow, got "open"'],
      [{ env: { ON_FAILURE: "x" } }, 'ON_FAILURE must be one of closed, open, got "x"'],
      [
        { flags: { onFailure: ["open"], onError: ["allow"] } },
        "--on-failure is the former name of --on-error: set only one of them",
      ],
      [
        { env: { ON_FAILURE: "open", ON_ERROR: "x" } },
        "ON_FAILURE is the former name of ON_ERROR: set only one of them",
      ],
      [
        { file: { path, content: { onFailure: "open", onError: "allow" } } },
        "onFailure in x.json is the former name of onError in x.json: set only one of them",
      ],
    ] as const) {
      expect(() => of(origins)).toThrow(message);
    }
  });

  test("is accepted in its other form, from the origin of the highest precedence", () => {
    const of = (origins: Partial<Origins>) => {
      const { values, sources } = resolveSettings(table, { ...nothing, ...origins });
      return [values.startMs, sources.startMs];
    };
    const start = ["1970-01-01T00:00:01Z"];
    const file = { path, content: { start: "1970-01-01" } };
    expect(of({ flags: { start } })).toEqual([1000, "--start"]);
    expect(of({ file })).toEqual([0, "start in x.json"]);
    expect(of({ flags: { start }, env: { START_MS: "5" } })).toEqual([1000, "--start"]);
    expect(of({ file, env: { START_MS: "5" } })).toEqual([5, "START_MS"]);
    expect(of({ file, flags: { startMs: ["6"] } })).toEqual([6, "--start-ms"]);
    for (const [origins, message] of [
      [{ flags: { start, startMs: ["5"] } }, "--start is another form of --start-ms: set only one of them"],
      [
        { file: { path, content: { start: "1970-01-01", startMs: 5 } } },
        "start in x.json is another form of startMs in x.json: set only one of them",
      ],
      [
        { flags: { start: ["5"] } },
        "--start must be a date such as 2026-01-31, in UTC, or a time with its zone",
      ],
      [{ file: { path, content: { start: 5 } } }, "start in x.json must be a date such as 2026-01-31"],
    ] as const) {
      expect(() => of(origins)).toThrow(message);
    }
  });

  test("that is required and not given is an error", () => {
    const needed = {
      store: { kind: "text", placeholder: "URL", description: "a store", env: "STORE", required: true },
    } as const;
    expect(() => resolveSettings(needed, nothing)).toThrow(new UsageError("--store or STORE is required"));
    expect(resolveSettings(needed, { ...nothing, env: { STORE: "memory:" } }).values.store).toBe("memory:");
  });
});
