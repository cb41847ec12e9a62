// fromMysql2: each transaction ends, and gives its connection back, whatever fails in between; and a pool without the adapter.

import { expect, test } from "vitest";
import { fromMysql2, type Mysql2Connection, type MysqlPort } from "../../src/backend/index.ts";
import { Counter } from "../../src/counter/index.ts";

const deadlock = Object.assign(new Error("Deadlock found"), { errno: 1213 });
const lockTimeout = Object.assign(new Error("Lock wait timeout exceeded"), { errno: 1205 });
const gone = Object.assign(new Error("Connection lost"), { code: "PROTOCOL_CONNECTION_LOST" });

/**
 * Returns a port of a pool that records statements and what becomes of their connections.
 *
 * @param answer throws the error of a statement, or returns its result
 */
function recorded(
  answer: (sql: string) => unknown = () => ({ affectedRows: 1 }),
  { timeoutMs = 60_000 }: { timeoutMs?: number } = {},
) {
  const log: string[] = [];
  let connections = 0;
  const query = async ({ sql }: { sql: string }): Promise<[unknown, unknown]> => {
    log.push(sql);
    return [answer(sql), undefined];
  };
  const getConnection = async (): Promise<Mysql2Connection> => {
    const name = ++connections;
    return {
      query,
      release: () => void log.push(`release ${name}`),
      destroy: () => void log.push(`destroy ${name}`),
    };
  };
  const execute = () => Promise.reject(new Error("called"));
  const port = fromMysql2({ query, execute, getConnection }, { timeoutMs });
  const transaction: Required<MysqlPort>["transaction"] = (body) =>
    (port as Required<MysqlPort>).transaction(body);
  return { port, transaction, log };
}

const BEGIN = ["SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION"];

test("a transaction commits on one connection and releases it", async () => {
  const { transaction, log } = recorded();
  const result = await transaction(async (statement) => (await statement("UPDATE")).affectedRows);
  expect(result).toBe(1);
  expect(log).toEqual([...BEGIN, "UPDATE", "COMMIT", "release 1"]);
});

test("a transaction whose body fails is rolled back", async () => {
  const { transaction, log } = recorded();
  const failing = transaction(async () => {
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(log).toEqual([...BEGIN, "ROLLBACK", "release 1"]);
});

test.each([
  ["deadlock", deadlock],
  ["lock timeout", lockTimeout],
])("a transaction in a %s is rolled back and run again", async (_, error) => {
  let failures = 2;
  const { transaction, log } = recorded((sql) => {
    if (sql === "UPDATE" && failures-- > 0) throw error;
    return { affectedRows: 1 };
  });
  await transaction((statement) => statement("UPDATE"));
  const failed = (name: number) => [...BEGIN, "UPDATE", "ROLLBACK", `release ${name}`];
  expect(log).toEqual([...failed(1), ...failed(2), ...BEGIN, "UPDATE", "COMMIT", "release 3"]);
});

test("a transaction that is always in a deadlock fails with it before the time limit", async () => {
  const answer = (sql: string) => {
    if (sql === "COMMIT") throw deadlock;
    return { affectedRows: 1 };
  };
  const { transaction, log } = recorded(answer, { timeoutMs: 1000 });
  await expect(transaction(async () => {})).rejects.toBe(deadlock);
  expect(log.filter((line) => line === "COMMIT").length).toBeGreaterThan(2);
  expect(log.at(-1)).toMatch(/^release/);
});

test("a connection that cannot roll back is destroyed", async () => {
  const { transaction, log } = recorded((sql) => {
    if (sql === "UPDATE" || sql === "ROLLBACK") throw gone;
    return { affectedRows: 1 };
  });
  await expect(transaction((statement) => statement("UPDATE"))).rejects.toBe(gone);
  expect(log).toEqual([...BEGIN, "UPDATE", "ROLLBACK", "destroy 1"]);
});

test("rows have each value as text", async () => {
  const { port } = recorded(() => [
    { a: new TextEncoder().encode("žluť"), b: 7, c: "x", d: null, e: 12n, f: "" },
  ]);
  expect(await port.statement("SELECT")).toEqual({
    rows: [{ a: "žluť", b: "7", c: "x", d: null, e: "12", f: "" }],
    affectedRows: 0,
  });
});

test("a client with one connection has no transactions", () => {
  const query = () => Promise.reject(new Error("called"));
  expect("transaction" in fromMysql2({ query, execute: query })).toBe(false);
});

test("a pool in place of the adapter's result is refused, and the message says what it is", () => {
  const pool = {
    query: async () => [[], []],
    execute: async () => [[], []],
    getConnection: async () => ({}),
  };
  expect(() => new Counter({ backend: pool as never, name: "orders" })).toThrow(
    "backend must be an adapter's result such as fromIORedis(client), not the client",
  );
});
