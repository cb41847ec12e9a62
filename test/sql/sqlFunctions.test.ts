// sqlFunctions: its options, and the rules for each text of SQL. The SQL itself runs in test/integration/sql.

import { PRESET_TWITTER } from "bitflake";
import { type SqlOptions, sqlFunctions } from "bitflake/sql";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const DIALECTS = ["postgres", "mysql", "sqlite"] as const;
const NODE = { node: { machineId: 5 } };
const build = (options: object) => sqlFunctions(options as SqlOptions);

/** Returns the message of the error for options. */
function refusal(options: object): string {
  try {
    build(options);
  } catch (error) {
    expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_(ARGUMENT|LAYOUT)$/) });
    return (error as Error).message;
  }
  return "accepted";
}

/** Returns all texts of functions. */
const textsOf = (options: object) => {
  const sql = build(options);
  return [sql.install, sql.uninstall, sql.nextId, sql.decodeId, sql.idRange, sql.columnDefault("t")];
};

describe("options", () => {
  test.each([
    [
      { dialect: "sqlite", ...NODE, functionPrefix: "Order_" },
      'functionPrefix must be without capital letters, got "Order_"',
    ],
    [{ dialect: "oracle", ...NODE }, 'dialect must be one of postgres, mysql, sqlite, got "oracle"'],
    [{ ...NODE }, "dialect must be one of postgres, mysql, sqlite, got undefined"],
    [{ dialect: "postgres", ...NODE, machineId: 5 }, "option must be one of"],
    [
      { dialect: "postgres", preset: { ...PRESET_TWITTER, onExhausted: "throw" }, ...NODE },
      "option must be one of",
    ],
    [{ dialect: "postgres", preset: "y", ...NODE }, "preset must be one of"],
    [
      { dialect: "postgres", node: { machine: 5 } },
      'option must be one of datacenterId, machineId, got "machine"',
    ],
    [{ dialect: "postgres", node: 5 }, "options must be an object, got 5"],
    [
      { dialect: "postgres", node: { machineId: 32 } },
      "machineId must be a whole number from 0 to 31 (5 bits), got 32",
    ],
    [
      { dialect: "postgres", node: { datacenterId: -1 } },
      "datacenterId must be a whole number from 0 to 31 (5 bits), got -1",
    ],
    [{ dialect: "postgres", node: { machineId: "5" } }, "machineId must be a whole number"],
    [{ dialect: "postgres" }, "node must be given, or a name"],
    [{ dialect: "postgres", node: {} }, "node must be given, or a name"],
    [
      { dialect: "postgres", name: "orders", ...NODE },
      "machineId must be left out, because the lease decides it, got 5",
    ],
    [{ dialect: "postgres", name: "" }, "name must be a string of 1 to 100 characters"],
    [
      { dialect: "postgres", name: "minimal", preset: "minimal" },
      "at least 1 datacenter or machine bit to lease",
    ],
    [{ dialect: "mysql", schema: "ids", ...NODE }, "schema must be left out for MySQL and SQLite"],
    [{ dialect: "sqlite", schema: "ids", ...NODE }, "schema must be left out for MySQL and SQLite"],
    [{ dialect: "postgres", schema: 'a"b', ...NODE }, "schema must be 1 to 63 letters, digits"],
    [{ dialect: "postgres", prefix: "$install$", ...NODE }, "prefix must be 1 to 20 letters, digits"],
    [
      { dialect: "postgres", functionPrefix: "a'b", ...NODE },
      "functionPrefix must be 1 to 20 letters, digits",
    ],
    [
      { dialect: "postgres", functionPrefix: "a".repeat(21), ...NODE },
      "functionPrefix must be 1 to 20 letters",
    ],
    [{ dialect: "postgres", maxBackwardMs: 0.5, ...NODE }, "maxBackwardMs must be a whole number"],
    [{ dialect: "postgres", sequenceBits: 13, ...NODE }, "layout must be 63 or 53 bits, got 64"],
    [
      { dialect: "mysql", timestampBits: 9, datacenterBits: 27, machineBits: 27, sequenceBits: 0, ...NODE },
      "layout must be one with at most 53 datacenter and machine bits, got 54",
    ],
    [{ dialect: "postgres", node: null }, "options must be an object, got null"],
  ])("%o: %s", (options, message) => {
    expect(refusal(options)).toContain(message);
  });

  test("names of tables and columns are names", () => {
    const { columnDefault } = build({ dialect: "postgres", ...NODE });
    expect(() => columnDefault("")).toThrow("table must be a string of 1 to 100 characters");
    expect(() => columnDefault("t", "a\nb")).toThrow("column must be a string of 1 to 100 characters");
  });

  test("a layout without a node needs none, and one datacenter can be leased", () => {
    for (const dialect of DIALECTS) {
      expect(build({ dialect, preset: "minimal" }).install).toContain("53.0.0.10 epoch 1577836800000 tick 1");
      const leased = build({ dialect, name: "orders", node: { datacenterId: 3 } });
      expect(leased.install).toContain("41.5.5.12 epoch 1577836800000 tick 1 machineId leased");
      expect(leased.install).toContain("96");
    }
  });

  test("epoch, tick and widths may be options, or those of a preset", () => {
    const epochMs = new Date("2015-01-01");
    const options = { dialect: "postgres", ...NODE };
    const own = textsOf({ ...options, preset: "twitter", epochMs, tickMs: 10 });
    expect(textsOf({ ...options, preset: { ...PRESET_TWITTER, epochMs, tickMs: 10 } })).toEqual(own);
    expect(textsOf({ ...options, preset: "discord", tickMs: 10 })).toEqual(own);
  });
});

test("a polluted Object.prototype configures nothing", () => {
  const plain = DIALECTS.map((dialect) => textsOf({ dialect, ...NODE }));
  const polluted = {
    ...{ preset: "x", name: "other", schema: "other", prefix: "other", functionPrefix: "other_" },
    ...{ datacenterId: 3, maxBackwardMs: 5000, epochMs: 0, tickMs: 10, sequenceBits: 11 },
  };
  try {
    for (const [name, value] of Object.entries(polluted))
      Object.defineProperty(Object.prototype, name, { value, configurable: true });
    expect(DIALECTS.map((dialect) => textsOf({ dialect, ...NODE }))).toEqual(plain);
    Object.defineProperty(Object.prototype, "machineId", { value: 7, configurable: true });
    Object.defineProperty(Object.prototype, "node", { value: { machineId: 7 }, configurable: true });
    expect(refusal({ dialect: "sqlite" })).toContain("node must be given, or a name");
    expect(refusal({ dialect: "sqlite", node: {} })).toContain("node must be given, or a name");
  } finally {
    for (const name of [...Object.keys(polluted), "machineId", "node"])
      Reflect.deleteProperty(Object.prototype, name);
  }
});

describe("texts", () => {
  test.each(DIALECTS)("%s: a name, a table and a column cannot leave their quotes", (dialect) => {
    const hostile = fc
      .string({
        unit: fc.constantFrom(...("'\"`$;-\\/*%ab ü😀".match(/./gu) as string[])),
        minLength: 1,
        maxLength: 20,
      })
      .filter((text) => text.normalize() === text);
    const quote = dialect === "mysql" ? "`" : '"';
    fc.assert(
      fc.property(hostile, (text) => {
        const sql = build({ dialect, name: text });
        // The name of a namespace is written as bytes alone.
        const plain = build({ dialect, name: "orders" });
        const bytes = /(?:X|decode\()'[0-9a-f]+'/g;
        expect(sql.install.replace(bytes, "")).toBe(plain.install.replace(bytes, ""));
        const literal = Buffer.from(text).toString("hex");
        expect(sql.install).toContain(literal);
        const own = sql.columnDefault(text, text);
        const quoted = quote + text.replaceAll(quote, quote + quote) + quote;
        expect(own.split(quoted).length).toBeGreaterThan(2);
      }),
    );
  });

  test.each(DIALECTS)("%s: numbers are written as digits, for every layout", (dialect) => {
    const layouts = fc
      .tuple(fc.integer({ min: 10, max: 53 }), fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 }))
      .filter(([time, datacenter, machine]) => time + datacenter + machine <= 63)
      .map(([timestampBits, datacenterBits, machineBits]) => ({
        ...{ timestampBits, datacenterBits, machineBits },
        sequenceBits: 63 - timestampBits - datacenterBits - machineBits,
      }))
      .filter(({ sequenceBits }) => sequenceBits <= 53);
    const epochs = fc.constantFrom(-1e14, 0, 1_577_836_800_000);
    fc.assert(
      fc.property(layouts, epochs, fc.constantFrom(1, 1000, 86_400_000), (layout, epochMs, tickMs) => {
        for (const text of textsOf({ dialect, ...layout, epochMs, tickMs, node: { machineId: 0 } }))
          expect(text).not.toMatch(/\de\+?\d|NaN|undefined|Infinity|\[object/);
      }),
    );
  });

  test("PostgreSQL: a function with its owner's rights qualifies each name, or has a search_path", () => {
    const { install } = build({ dialect: "postgres", ...NODE });
    const [, fast = ""] =
      /next_id"\(\) RETURNS bigint LANGUAGE plpgsql [^$]*SECURITY DEFINER AS \$body\$(.*?)\$body\$/s.exec(
        install,
      ) ?? [];
    expect(fast).toContain("nextval");
    const qualified = /'[^']*'|"[^"]*"|pg_catalog\.\w+|OPERATOR\(pg_catalog\.[^)]+\)|:=|\(-(?=\d)/g;
    // The rest are keywords, variables, numbers and brackets: no call of a function and no operator.
    expect(fast.replace(qualified, "")).not.toMatch(/[a-z_]\(|[-+*/<>=&|%]/i);
    expect(install.match(/SECURITY DEFINER\nSET search_path = pg_catalog, pg_temp/g)).toHaveLength(1);
  });

  test("PostgreSQL: no nextval() of a full tick reaches the word that setval() jumps to", () => {
    for (let sequenceBits = 0; sequenceBits <= 53; sequenceBits++) {
      const timestampBits = Math.min(63 - sequenceBits, 41);
      const layout = { timestampBits, machineBits: 0, datacenterBits: 63 - timestampBits - sequenceBits };
      const { install } = build({ dialect: "postgres", ...layout, sequenceBits, node: { datacenterId: 0 } });
      const counterBits = Number(/setval\([^,]+, tick << (\d+), true\)/.exec(install)?.[1]);
      // Each session of a server takes one word of a full tick at most, and a crash skips 32.
      expect(2n ** BigInt(counterBits)).toBeGreaterThan(2n ** BigInt(sequenceBits) + 262_143n + 32n);
      const lastTick = BigInt(/IF tick > (\d+) THEN/.exec(install)?.[1] ?? "");
      expect(((lastTick + 1n) << BigInt(counterBits)) - 1n).toBeLessThan(2n ** 63n);
    }
  });

  test("SQLite and MySQL: the SQL for a column of another name", () => {
    expect(build({ dialect: "sqlite", ...NODE }).columnDefault("orders", "key")).toContain(
      'WHEN NEW."key" IS NULL',
    );
    expect(build({ dialect: "mysql", ...NODE }).columnDefault("orders", "key")).toContain("SET NEW.`key` = ");
  });

  test("MySQL: the names of triggers differ for each table and column, up to 64 characters", () => {
    const { columnDefault } = build({ dialect: "mysql", ...NODE, functionPrefix: "order_" });
    expect(columnDefault("a_b", "c")).toContain("TRIGGER `order_a_b.c` BEFORE INSERT ON `a_b`");
    expect(columnDefault("a", "b_c")).toContain("TRIGGER `order_a.b_c` BEFORE INSERT ON `a`");
    const longest = "t".repeat(64 - "order_.id".length);
    expect(columnDefault(longest)).toContain(`\`order_${longest}.id\``);
    expect(() => columnDefault(`${longest}t`)).toThrow(
      "table must be at most 64 characters with functionPrefix",
    );
  });

  test("MySQL: no script contains the delimiter of the command line", () => {
    for (const options of [{ name: "a//b" }, NODE]) {
      const { install, uninstall } = build({ dialect: "mysql", ...options });
      expect(install + uninstall).not.toContain("//");
    }
  });

  test("MySQL: a message has at most 128 characters, with the longest names", () => {
    const long = { prefix: "p".repeat(20), functionPrefix: "f".repeat(20) };
    for (const options of [{ ...NODE }, { name: "orders" }]) {
      const { install, uninstall } = build({ dialect: "mysql", ...options, ...long });
      const texts = [...(install + uninstall).matchAll(/SET problem = LEFT\(CONCAT\((.*)\), 128\); SIGNAL/g)];
      expect(texts.length).toBe((install + uninstall).split("; SIGNAL").length - 1);
      for (const [, parts = ""] of texts) {
        const fixed = [...parts.matchAll(/'([^']*)'/g)].map(([, text]) => text).join("");
        expect(fixed.length).toBeLessThanOrEqual(128);
      }
    }
  });
});
