// Pools on MariaDB: any isolation level, rows that other transactions hold, a server that has replaced another, and the same
// cost with many taken IDs as with few.

import { createConnection, createPool, type PoolOptions } from "mysql2/promise";
import { afterEach, describe, expect, test } from "vitest";
import { fromMysql2, type MysqlPort, setup } from "../../src/backend/index.ts";
import { ArgumentError } from "../../src/internal.ts";
import { IdPool, IdPoolHistoryError, NumericIdType } from "../../src/numeric/index.ts";
import { poolPort } from "../../src/numeric/openPort.ts";
import { startable, startMariadb } from "./servers.ts";
import { clean } from "./stores.ts";

const { MYSQL_URL = "" } = process.env;

const closes: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closes.splice(0).reverse()) await close();
});

let prefixes = 0;
/** A prefix of one test's tables. */
function freshPrefix(): string {
  return `pool_mysql_${process.pid}_${prefixes++}`;
}

/** Opens a pool of connections. Their statements fail, and the numbers of the errors are recorded. */
function open(prefix: string, options: PoolOptions = {}, session?: string, url = MYSQL_URL) {
  const pool = createPool({ uri: url, ...options });
  closes.push(() => pool.end());
  const sent: string[] = [];
  const errors: number[] = [];
  if (session) pool.pool.on("connection", (connection) => connection.query(`SET SESSION ${session}`));
  type Query = Parameters<typeof fromMysql2>[0]["query"];
  const counted =
    (query: Query): Query =>
    async (statement) => {
      sent.push(statement.sql);
      try {
        return await query(statement);
      } catch (error) {
        errors.push((error as { errno: number }).errno);
        throw error;
      }
    };
  const client = {
    query: counted((statement) => pool.query(statement)),
    execute: (sql: string) => pool.execute(sql),
    async getConnection() {
      const connection = await pool.getConnection();
      return {
        query: counted((statement) => connection.query(statement)),
        release: () => connection.release(),
        destroy: () => connection.destroy(),
      };
    },
  };
  const port = fromMysql2(client, { prefix, timeoutMs: 20_000 });
  const run = async (sql: string) => (await pool.query(sql))[0] as Record<string, unknown>[];
  return { port, run, sent, errors };
}

/** Opens a connection for a transaction of the test's own. */
async function openOther() {
  const connection = await createConnection(MYSQL_URL);
  closes.push(() => connection.end());
  return connection;
}

const typeOf = (length: number) => new NumericIdType({ name: "farmer", length });

/** Returns the PoolPort of a type with IDs of these ranks. */
async function filled(port: MysqlPort, ranks: Readonly<Record<string, number>>) {
  await setup(port, ["numeric"]);
  closes.push(() => clean(port));
  await new IdPool({ backend: port, type: typeOf(8) }).import([]);
  const store = poolPort(port, "farmer");
  const { recorded } = await store.readOrRecordHistory();
  await store.add(Object.entries(ranks));
  const issueForRequest = (key: string) => store.issueForRequest(key, 0, recorded, () => {});
  return {
    ...store,
    raw: store,
    recorded,
    issueForRequest,
    issue: (count: number) => store.issue(count, 0, recorded),
  };
}

describe.skipIf(!MYSQL_URL)("a pool on MariaDB", () => {
  test.each([
    "TRANSACTION ISOLATION LEVEL READ UNCOMMITTED",
    "TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "innodb_snapshot_isolation = ON",
    "TRANSACTION ISOLATION LEVEL SERIALIZABLE",
  ])("issues each ID once under '%s', while others are imported and added", async (session) => {
    const { port } = open(freshPrefix(), { connectionLimit: 20 }, session);
    await setup(port, ["numeric"]);
    closes.push(() => clean(port));
    const type = typeOf(6);
    const start = () => new IdPool({ backend: port, type, lowMark: 300, highMark: 500, waitMs: 20_000 });
    const pools = Array.from({ length: 4 }, start);
    const foreign = type.generateIds(400);
    const ids: string[] = [];
    const requested = new Map<string, string>();
    const [one, other] = await Promise.all([
      start().import(foreign),
      start().import([...foreign].reverse()),
      ...Array.from({ length: 20 }, async (_, caller) => {
        const pool = pools[caller % 4] as IdPool;
        for (let call = 0; call < 4; call++) {
          ids.push(...(await pool.issueIds(1 + 20 * (call % 2))));
          const requestKey = `form ${(caller + call) % 10}`;
          const id = await pool.issue({ requestKey });
          expect(requested.get(requestKey) ?? id).toBe(id);
          requested.set(requestKey, id);
        }
      }),
    ]);
    await Promise.all(pools.map((pool) => pool.stop()));
    ids.push(...requested.values());
    expect([requested.size, new Set(ids).size]).toEqual([10, ids.length]);
    const known = ids.filter((id) => foreign.includes(id)).length;
    expect(one.taken + other.taken + known).toBe(400);
    expect(await start().status()).toMatchObject({ taken: ids.length + 400 - known });
  });

  test("takes no ID that another transaction holds, and does not wait for it", async () => {
    const { port, errors } = open(freshPrefix());
    const store = await filled(port, { 51: 1, 52: 2, 53: 3, 54: 4, 55: 5, 56: 6, 57: 7 });
    errors.splice(0);
    const other = await openOther();
    await other.query("BEGIN");
    await other.query(
      `SELECT id FROM ${port.prefix}_ids FORCE INDEX (PRIMARY) WHERE id IN ('51', '53') FOR UPDATE`,
    );
    expect(await store.issue(1)).toEqual(["52"]);
    expect(await store.issueForRequest("form 17")).toEqual(["54"]);
    expect([...((await store.issue(2)) as string[])].sort()).toEqual(["55", "56"]);
    expect(await store.issue(1)).toEqual(["57"]);
    await store.add([
      ["58", 8],
      ["59", 9],
    ]);
    // From the last rank on, so that all others are found from rank 0 on.
    expect([...((await store.raw.issue(2, 100, store.recorded)) as string[])].sort()).toEqual(["58", "59"]);
    await other.query("ROLLBACK");
    expect([...((await store.issue(2)) as string[])].sort()).toEqual(["51", "53"]);
    expect(errors).toEqual([]);
  });

  test("repeats an issue that had to wait for longer than the server's innodb_lock_wait_timeout", async () => {
    const { port, run, errors } = open(freshPrefix(), {}, "innodb_lock_wait_timeout = 1");
    const store = await filled(port, { 51: 1, 52: 2, 53: 3 });
    errors.splice(0);
    const other = await openOther();
    await other.query("BEGIN");
    await other.query(`SELECT * FROM ${port.prefix}_id_counts FOR UPDATE`);
    const waiting = Promise.all([store.issue(1), store.issue(2)]);
    await expect.poll(() => errors.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(2);
    await other.query("ROLLBACK");
    expect((await waiting).flat().sort()).toEqual(["51", "52", "53"]);
    expect(new Set(errors)).toEqual(new Set([1205]));
    expect(await run(`SELECT CAST(SUM(taken) AS CHAR) AS taken FROM ${port.prefix}_id_counts`)).toEqual([
      { taken: "3" },
    ]);
  });

  test("undoes a transaction whose caller has its timeout already", async () => {
    const { port } = open(freshPrefix());
    const store = await filled(port, { 51: 1, 52: 2 });
    const other = await openOther();
    await other.query("BEGIN");
    await other.query(`SELECT * FROM ${port.prefix}_id_counts FOR UPDATE`);
    const impatient = { ...port, timeoutMs: 60_000 };
    const hurried = poolPort(impatient, "farmer");
    await hurried.readOrRecordHistory();
    impatient.timeoutMs = 100;
    await expect(hurried.issue(2, 0, store.recorded)).rejects.toMatchObject({ reason: "timeout" });
    await other.query("ROLLBACK");
    // It holds them until then.
    await expect.poll(() => store.issue(2).catch(() => [])).toHaveLength(2);
  });

  test("counts a request's ID once when many calls for it meet", async () => {
    const { port } = open(freshPrefix(), { connectionLimit: 20 });
    const ranks = Array.from({ length: 60 }, (_, at) => [`${100 + at}`, at] as const);
    const store = await filled(port, Object.fromEntries(ranks));
    for (let round = 0; round < 5; round++) {
      const key = `form ${round}`;
      const ids = await Promise.all(Array.from({ length: 20 }, () => store.issueForRequest(key)));
      expect(new Set(ids.flat()).size).toBe(1);
    }
    expect(await store.status(100, 3000)).toMatchObject({ available: 55, taken: 5 });
  });

  test("keeps the ID that another process gives to a request while an import brings another one", async () => {
    const { port, run, errors } = open(freshPrefix());
    const store = await filled(port, { 51: 1, 52: 2 });
    errors.splice(0);
    const other = await openOther();
    await other.query("BEGIN");
    await other.query(
      `UPDATE ${port.prefix}_ids SET taken = 1, \`rank\` = NULL, request = 'form 17' WHERE id = '52'`,
    );
    const importing = store.markTaken([["51", "form 17"]]);
    const waiting = `SELECT trx_id FROM information_schema.innodb_trx
      WHERE trx_state = 'LOCK WAIT' AND trx_query LIKE 'UPDATE \`${port.prefix}%'`;
    // The server repeats its last answer to this query for 100 ms.
    await expect.poll(() => run(waiting), { timeout: 10_000, interval: 250 }).toHaveLength(1);
    await other.query("COMMIT");
    expect(await importing).toBe(1);
    expect(errors).toEqual([1062]);
    expect(await store.issueForRequest("form 17")).toEqual(["52"]);
  });

  test("refuses a single connection, whose transactions would mix with other calls", async () => {
    const connection = await openOther();
    const backend = fromMysql2(connection);
    expect(() => new IdPool({ backend, type: typeOf(8) })).toThrow(ArgumentError);
    expect(() => new IdPool({ backend, type: typeOf(8) })).toThrow(/pool with getConnection\(\)/);
  });
});

/** Returns how many rows the server reads for each statement of a pool with so many taken IDs. */
async function rowsReadWith(taken: number): Promise<Map<string, number>> {
  const { port, run, sent } = open(freshPrefix(), { connectionLimit: 1 });
  await setup(port, ["numeric"]);
  closes.push(() => clean(port));
  const type = typeOf(12);
  const marks = { lowMark: 0, highMark: 1000 };
  await new IdPool({ backend: port, type, ...marks }).fill();
  await run(`INSERT INTO ${port.prefix}_ids (type, id, taken)
    SELECT 'farmer', LPAD(seq, 12, '0'), 1 FROM seq_1_to_${taken}`);
  sent.splice(0);
  const pool = new IdPool({ backend: port, type, ...marks });
  const calls: Readonly<Record<string, () => Promise<unknown>>> = {
    issue: () => pool.issue(),
    issueIds: () => pool.issueIds(100),
    request: () => pool.issue({ requestKey: "form 17" }),
    replay: () => pool.issue({ requestKey: "form 17" }),
    import: () => pool.import(type.generateIds(100)),
    fill: () => pool.fill({ to: 1000 }),
    status: () => pool.status(),
  };
  const handlers = async () => {
    const rows = await run("SHOW SESSION STATUS LIKE 'Handler_read_%'");
    return rows.reduce((sum, { Value }) => sum + Number(Value), 0);
  };
  const read = new Map<string, number>();
  // The first call also registers the pool.
  await pool.issue();
  for (const [name, call] of Object.entries(calls)) {
    const before = await handlers();
    await call();
    // SHOW reads its own rows, and a background count may follow an issue.
    read.set(name, (await handlers()) - before);
  }
  await pool.stop();
  expect(sent.length).toBeGreaterThan(15);
  return read;
}

test.skipIf(!MYSQL_URL)("no call reads more rows with 100,000 taken IDs than with a thousand", async () => {
  const few = await rowsReadWith(1000);
  const many = await rowsReadWith(100_000);
  for (const [name, rows] of many)
    expect([name, rows]).toEqual([name, expect.closeTo(few.get(name) as number, -4)]);
  for (const [name, rows] of many)
    expect([name, rows < 2 * (few.get(name) as number) + 1000]).toEqual([name, true]);
});

test.skipIf(!startable.mariadb)(
  "a pool on a server that has replaced another one issues nothing until that is accepted, and then no ID twice",
  async () => {
    const server = await startMariadb();
    closes.push(() => server.stop());
    const { port, run } = open("bitflake", {}, undefined, server.url);
    await setup(port, ["numeric"]);
    const type = typeOf(10);
    const start = () => new IdPool({ backend: port, type, lowMark: 0, highMark: 300 });
    const [pool, neighbour] = [start(), start()];
    await pool.fill();
    const issued = [...(await pool.issueIds(40)), await neighbour.issue()];
    await run("CREATE TABLE backup AS SELECT * FROM bitflake_ids");
    // The server that takes over lacks these.
    issued.push(
      ...(await pool.issueIds(40)),
      await pool.issue({ requestKey: "form 17" }),
      await neighbour.issue(),
    );
    await run("REPLACE INTO bitflake_ids SELECT * FROM backup");
    await run("SET GLOBAL server_id = 2");

    const fresh = start();
    for (const call of [
      () => pool.issue(),
      () => pool.issueIds(2),
      () => neighbour.issue({ requestKey: "form 18" }),
      () => fresh.issue(),
    ]) {
      const error = await call().catch((error: unknown) => error);
      expect(error).toBeInstanceOf(IdPoolHistoryError);
      expect(error).toMatchObject({ recorded: "1", current: "2" });
    }
    expect((await pool.status()).lastError).toBeInstanceOf(IdPoolHistoryError);
    await fresh.acceptHistory();
    for (const one of [fresh, pool, neighbour]) issued.push(...(await one.issueIds(50)), await one.issue());
    expect(new Set(issued).size).toBe(issued.length);
    expect(issued).toContain(await fresh.issue({ requestKey: "form 17" }));
    // A restart of the same server is nothing to accept.
    await run("SET GLOBAL server_id = 1");
    await fresh.acceptHistory();
    await server.restart();
    await expect.poll(() => start().issue().catch(String), { timeout: 10_000 }).toMatch(/^\d{10}$/);
    for (const one of [pool, neighbour, fresh]) await one.stop();
  },
);
