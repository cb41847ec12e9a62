// Bun's clients with their adapters: errors have the codes of other clients, and texts come back as they are.

import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { fromBunRedis, fromBunSql, setup } from "../../../src/backend/index.ts";
import { Counter } from "../../../src/counter/index.ts";
import { ArgumentError } from "../../../src/internal.ts";
import { examplesOf } from "../../docs/snippet.ts";
import { bunHere, bunRedisAdapters, bunSqlAdapters, runByBun } from "../bun-clients.ts";
import { startable, startPostgres, startRedis } from "../servers.ts";
import { again } from "./outcomes.ts";

const { DATABASE_URL = "", REDIS_URL = "" } = process.env;

const TEXTS = [
  "",
  "hello",
  '{"a":[1,null]}',
  "1e3",
  "null",
  "žluťoučký 日本 🦊",
  "\ufeff'\"\\ $1 ?\r\n",
  "ü".repeat(300_000),
];

test("the clients are there in CI", () => {
  if (process.env.CI) expect([bunSqlAdapters.length, bunRedisAdapters.length]).toEqual([1, 1]);
});

test("a client of another kind is refused", () => {
  expect(() => fromBunSql({} as never)).toThrow(ArgumentError);
  expect(() => fromBunRedis({} as never)).toThrow(ArgumentError);
  expect(() => fromBunSql({ unsafe: async () => [] }, { schemas: "x" } as never)).toThrow(ArgumentError);
});

test("a conflict of PostgreSQL is retried, by the code that Bun has in `errno`", async () => {
  let failures = 2;
  const unsafe = async () => {
    if (failures-- > 0)
      throw Object.assign(new Error("deadlock"), { code: "ERR_POSTGRES_SERVER_ERROR", errno: "40P01" });
    return [{ x: "1" }];
  };
  expect(await fromBunSql({ unsafe }).query("SELECT", [])).toEqual([{ x: "1" }]);
  const refused = new Error("connection refused");
  const down = fromBunSql({ unsafe: () => Promise.reject(refused) });
  await expect(down.query("SELECT", [])).rejects.toBe(refused);
});

describe.skipIf(!DATABASE_URL).each(bunSqlAdapters)("$name", async ({ open }) => {
  const { port, close } = await open(DATABASE_URL, { prefix: `bun_${process.pid}` });
  afterAll(close);

  test("returns texts, no rows, and large numbers as text", async () => {
    for (const text of TEXTS)
      expect(await port.query("SELECT $1::text AS echo", [text])).toEqual([{ echo: text }]);
    expect(await port.query("SELECT 1 WHERE false", [])).toEqual([]);
    expect(await port.query("SELECT CAST(9223372036854775807 AS TEXT) AS big", [])).toEqual([
      { big: "9223372036854775807" },
    ]);
  });

  test("gives errors PostgreSQL's code", async () => {
    await expect(
      new Counter({ backend: { ...port, prefix: "bun_none" }, name: "n" }).next(),
    ).rejects.toMatchObject({
      message: expect.stringContaining("has setup() been run?"),
      cause: { code: "42P01" },
    });
    await expect(port.query("SELECT 1 / 0", [])).rejects.toMatchObject({ code: "22012" });
  });
});

describe.skipIf(!REDIS_URL).each(bunRedisAdapters)("$name", async ({ open }) => {
  const { port, close } = await open(REDIS_URL);
  afterAll(close);

  test("returns texts, numbers, arrays and nothing", async () => {
    for (const text of TEXTS) expect(await port.eval("return ARGV[1]", ["k"], [text])).toBe(text);
    expect(await port.eval("return {1, KEYS[1], false}", ["k"], [])).toEqual([1, "k", null]);
    expect(await port.eval("return false", [], [])).toBe(null);
    await expect(port.eval("return redis.error_reply('NO no')", [], [])).rejects.toThrow(/no/);
  });
});

const examples = examplesOf("src/backend/drivers/bun.ts");
test.skipIf(!bunHere || !DATABASE_URL || !REDIS_URL).each(examples)("$name runs by Bun", async ({ code }) => {
  const index = JSON.stringify(fileURLToPath(new URL("../../../src/backend/index.ts", import.meta.url)));
  const program = code
    .replace('"bitflake/backend"', index)
    .replace(/^(.+); \/\/ => (.+)$/gm, "console.log(JSON.stringify([$1, $2]));");
  expect(JSON.parse(await runByBun(program))).toEqual(["hello", "hello"]);
});

describe.skipIf(!startable.postgres || !startable.redis)("a server of Bun's clients that is down", () => {
  test.each([
    ...bunSqlAdapters.map(({ name, open }) => ({ name, start: startPostgres, open })),
    ...bunRedisAdapters.map(({ name, open }) => ({ name, start: startRedis, open })),
  ])("fails calls by $name in time, and answers after it has started", async ({ start, open }) => {
    const server = await start();
    const { port, close } = await open(server.url);
    await setup(port, ["counter"]);
    const counter = new Counter({ backend: { ...port, timeoutMs: 500 }, name: "n" });
    await again(() => counter.next());
    server.pause();
    const frozen = () =>
      counter.next().then(
        () => false,
        () => true,
      );
    while (!(await frozen()));
    server.resume();
    expect(await again(() => counter.next())).toBeGreaterThan(0n);
    await server.kill();
    await expect(counter.next()).rejects.toMatchObject({ code: "ERR_BACKEND" });
    await server.restart();
    // A Redis without a file has forgotten the counter.
    const next = await again(() => new Counter({ backend: port, name: "n" }).next());
    expect(next).toBeGreaterThan(0n);
    await close();
    await server.stop();
  });
});
