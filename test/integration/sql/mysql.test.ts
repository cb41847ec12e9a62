// MySQL and MariaDB alone: removing and installing again, scripts that run beside inserts and beside each other, triggers.

import { decode, PRESET_TWITTER } from "bitflake";
import { setup } from "bitflake/backend";
import { leaseNode } from "bitflake/lease";
import { sqlFunctions } from "bitflake/sql";
import mysql from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startable, startMariadb } from "../servers.ts";
import { type Database, engines, install } from "./engines.ts";

const open = engines.find(({ name }) => name === "mysql")?.open;
const NODE = { node: { machineId: 5 } };
const messageOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "no error",
    (error: Error) => error.message,
  );

describe.skipIf(!open)("mysql", () => {
  let db: Database;
  let isMariadb = false;
  beforeAll(async () => {
    db = await (open as () => Promise<Database>)();
    await setup(db.backend, ["lease"]);
    const [row] = await db.query("SELECT VERSION() AS version");
    isMariadb = String(row?.["version"]).includes("MariaDB");
  });
  afterAll(() => db?.close());

  test("a ROLLBACK, and then uninstall: neither a lease nor new functions make its ID", async () => {
    // One node, and ticks that last longer than the test, so that only the state prevents a second first ID of the tick.
    const layout = { timestampBits: 40, datacenterBits: 0, machineBits: 1, sequenceBits: 22 };
    const options = { ...layout, tickMs: 86_400_000, name: "rolled", functionPrefix: "rolled_" };
    const other = await leaseNode({ backend: db.backend, ...layout, tickMs: 86_400_000, name: "rolled" });
    const sql = await install(db, options, { hasOwnClock: true });
    // As if the last ID that was committed were from a tick before.
    await db.exec("UPDATE bitflake_sql SET tick = tick - 1 WHERE functions = 'rolled_'");
    await db.query("START TRANSACTION");
    const { timestampMs, machineId } = decode(await sql.next(), { ...layout, tickMs: 86_400_000 });
    await db.query("ROLLBACK");
    await db.exec(sql.uninstall);
    const cells = await db.query("SELECT k, value FROM bitflake_cells WHERE k LIKE '%:rolled:%'");
    const value = cells.find(({ k }) => String(k).endsWith(`:${machineId}`))?.["value"];
    const [, , until] = JSON.parse(String(value)) as unknown[];
    const epochMs = 1_577_836_800_000;
    expect(until).toBeGreaterThan((timestampMs - epochMs) / 86_400_000);
    // The node is free from the next tick on.
    expect(await messageOf(install(db, options, { hasOwnClock: true }))).toContain("ERR_NO_NODE_AVAILABLE");
    await other.release();
  });

  test("functions with the same chosen node go on after those that were removed", async () => {
    const layout = {
      timestampBits: 40,
      datacenterBits: 0,
      machineBits: 11,
      sequenceBits: 12,
      tickMs: 86_400_000,
    };
    const options = { ...NODE, ...layout, functionPrefix: "kept_", prefix: "kept" };
    const sql = await install(db, options, { hasOwnClock: true });
    const first = await sql.next();
    await db.exec(sql.uninstall);
    await install(db, options, { hasOwnClock: true });
    expect(await messageOf(sql.next())).toContain("ERR_SEQUENCE_EXHAUSTED");
    // As if the clock had been set back by two ticks.
    const rows = "kept_sql WHERE functions = 'kept_'";
    await db.exec(`UPDATE ${rows.replace(" WHERE", " SET tick = tick + 2 WHERE")}`);
    await db.exec(sql.uninstall);
    await db.exec(sql.install);
    expect(await messageOf(sql.next())).toContain("ERR_CLOCK_BACKWARDS");
    // A layout with other ticks begins at the same moment.
    await db.exec(sql.uninstall);
    const other = await install(db, { ...options, tickMs: 8_640_000 }, { hasOwnClock: true });
    expect(await messageOf(other.next())).toContain("ERR_CLOCK_BACKWARDS");
    const [row] = await db.query(`SELECT tick FROM ${rows}`);
    const { timestampMs } = decode(first, layout);
    expect(Number(row?.["tick"])).toBe((timestampMs - 1_577_836_800_000) / 8_640_000 + 20);
    await db.exec(other.uninstall);
  });

  test("two sets of functions do not get one node", async () => {
    const chosen = { ...NODE, prefix: "two", functionPrefix: "two_a_" };
    const first = await install(db, chosen, { hasOwnClock: true });
    const second = { ...chosen, functionPrefix: "two_b_" };
    expect(await messageOf(install(db, second, { hasOwnClock: true }))).toContain(
      'ERR_NAMESPACE: node 5 is that of the functions with the prefix "two_a_"',
    );
    await install(db, { ...second, node: { machineId: 6 } }, { hasOwnClock: true });
    // A removed set has no node any more.
    await db.exec(first.uninstall);
    await install(db, { ...chosen, functionPrefix: "two_c_" }, { hasOwnClock: true });
    // A lease skips the node of a set with a chosen node, and a chosen one is not that of a lease.
    const zero = await install(
      db,
      { node: { machineId: 0 }, functionPrefix: "zero_" },
      { hasOwnClock: true },
    );
    const leased = await install(db, { name: "skips", functionPrefix: "skips_" }, { hasOwnClock: true });
    expect(decode(await leased.next(), "twitter")).toMatchObject({ datacenterId: 0, machineId: 1 });
    expect(
      await messageOf(install(db, { node: { machineId: 1 }, functionPrefix: "one_" }, { hasOwnClock: true })),
    ).toContain('node 1 is that of the functions with the prefix "skips_"');
    await db.exec(leased.uninstall);
    await db.exec(zero.uninstall);
  });

  test("uninstall with other options, and one with a trigger in use, remove nothing", async () => {
    const leased = await install(db, { name: "other", functionPrefix: "other_" }, { hasOwnClock: true });
    const chosen = sqlFunctions({ dialect: "mysql", ...NODE, functionPrefix: "other_" });
    expect(await messageOf(db.exec(chosen.uninstall))).toContain("ERR_NAMESPACE: the functions are for");
    await db.exec("CREATE TABLE used (id BIGINT PRIMARY KEY, `key` BIGINT)");
    await db.exec(leased.columnDefault("used"));
    expect(await messageOf(db.exec(leased.uninstall))).toContain(
      "ERR_ARGUMENT: the functions must be used by no trigger, got other_used.id",
    );
    await db.exec("INSERT INTO used VALUES (NULL, 1)");
    await db.exec("DROP TABLE used");
    await db.exec(leased.uninstall);
    expect(await messageOf(db.exec(leased.uninstall))).toContain("these functions are not installed");
    // No lock and no procedure is left by a script that has ended, and none that has failed keeps the lock.
    await db.exec(leased.install);
    await db.exec(leased.uninstall);
    expect(
      await db.query("SHOW PROCEDURE STATUS WHERE db = DATABASE() AND name = 'other_id_install'"),
    ).toEqual([]);
  });

  test("uninstall finds the triggers that the user has written, however they call the functions", async () => {
    const sql = await install(
      db,
      { ...NODE, prefix: "calls", functionPrefix: "calls_" },
      { hasOwnClock: true },
    );
    await db.exec("CREATE TABLE called (id BIGINT PRIMARY KEY, note TEXT)");
    const trigger = async (expression: string) => {
      await db.exec(
        `CREATE TRIGGER called_first BEFORE INSERT ON called FOR EACH ROW SET NEW.id = ${expression}`,
      );
      const message = await messageOf(db.exec(sql.uninstall));
      await db.exec("DROP TRIGGER called_first");
      return message;
    };
    const [{ name } = {}] = await db.query("SELECT DATABASE() AS name");
    for (const expression of [
      "calls_next_id()",
      "1+CALLS_NEXT_ID ( )",
      "`calls_next_id` ()",
      `${name}.calls_next_id()`,
      "JSON_VALUE(Calls_decode_id(NEW.id), '$.sequence')",
      "Calls_id_clock_ms(0)",
    ])
      expect([expression, await trigger(expression)]).toEqual([
        expression,
        "ERR_ARGUMENT: the functions must be used by no trigger, got called_first",
      ]);
    // A longer name is that of another function.
    await db.exec("CREATE FUNCTION my_Calls_next_id() RETURNS BIGINT DETERMINISTIC RETURN 42");
    expect(await trigger("my_Calls_next_id()")).toBe("no error");
    await db.exec("DROP TABLE called");
  });

  test("a script that does not get the lock changes nothing, and one that has failed leaves none to its session", async () => {
    const options = { ...NODE, prefix: "gate", functionPrefix: "gate_" };
    const sql = sqlFunctions({ dialect: "mysql", ...options });
    const impatient = (script: string) => script.replaceAll(", 60)", ", 0)");
    const lock = "CONCAT('bitflake_sql ', MD5(CONCAT(DATABASE(), ' gate')))";
    // As if the session were within a script.
    await db.query(`SELECT GET_LOCK(${lock}, 0)`, [], 4);
    await expect(db.query(impatient(sql.install), [], 5)).rejects.toMatchObject({ errno: 1242 });
    expect(await db.query("SHOW TABLES LIKE 'gate%'")).toEqual([]);
    await db.query(sql.install, [], 4);
    await db.query(`SELECT GET_LOCK(${lock}, 0)`, [], 4);
    await db.query("CREATE PROCEDURE gate_id_install() SELECT 1", [], 4);
    for (const script of [sql.install, sql.uninstall])
      await expect(db.query(impatient(script), [], 5)).rejects.toMatchObject({ errno: 1242 });
    await db.query("CALL gate_id_install()", [], 4);
    expect(await db.query("SELECT gate_next_id() IS NOT NULL AS made", [], 5)).toEqual([{ made: 1 }]);
    await db.query(`DO RELEASE_LOCK(${lock})`, [], 4);
    // A script that fails after the procedure keeps the lock until it is run again in its session.
    const failing = sql.install.replace("RETURNS BIGINT NOT DETERMINISTIC NO SQL\nBEGIN", "RETURNS NOTHING");
    for (let run = 0; run < 2; run++) await expect(db.query(failing, [], 4)).rejects.toThrow("NOTHING");
    await expect(db.query(impatient(sql.install), [], 5)).rejects.toMatchObject({ errno: 1242 });
    await db.query(sql.install, [], 4);
    await db.query(impatient(sql.install), [], 5);
    await db.query(sql.uninstall, [], 5);
  });

  test("MariaDB: the scripts are refused in a sql_mode that they do not work in", async ({ skip }) => {
    skip(!isMariadb, "MySQL does not have these modes");
    // Without a functionPrefix, whose name in the state is the empty string.
    const build = (machineId: number) =>
      sqlFunctions({ dialect: "mysql", prefix: "modes", node: { machineId } });
    const own = build(5);
    const contents = async () => [
      await db.query("SELECT * FROM modes_sql"),
      await db.query(
        "SELECT routine_name, routine_definition, last_altered FROM information_schema.routines WHERE routine_schema = DATABASE() AND routine_type = 'FUNCTION' ORDER BY 1",
      ),
    ];
    for (const [mode, error] of [
      [
        "EMPTY_STRING_IS_NULL",
        { sqlState: "IDARG", message: "ERR_ARGUMENT: sql_mode must be without EMPTY_STRING_IS_NULL" },
      ],
      ["ORACLE", { errno: 1064 }],
    ] as const) {
      const setMode = (value: string) => db.query(`SET SESSION sql_mode = ${value}`, [], 6);
      const refuse = async (script: string) => {
        await setMode(`'${mode}'`);
        await expect(db.query(script, [], 6)).rejects.toMatchObject(error);
        await setMode("DEFAULT");
      };
      await refuse(own.install);
      expect(
        (await contents()).map((rows) => rows?.filter((row) => row["routine_name"] === "next_id")),
      ).toEqual([[], []]);
      // The script in the right mode, in the session that was refused.
      await db.query(own.install, [], 6);
      const [{ id } = {}] = await db.query(`SELECT ${own.nextId} AS id`);
      const before = await contents();
      for (const script of [own.install, build(6).install, own.uninstall, build(6).uninstall])
        await refuse(script);
      expect(await contents()).toEqual(before);
      const [{ later } = {}] = await db.query(`SELECT ${own.nextId} AS later`);
      expect(BigInt(String(later))).toBeGreaterThan(BigInt(String(id)));
      await db.query(own.uninstall, [], 6);
      await db.exec("DROP TABLE modes_sql");
    }
  });

  test("MariaDB: a session whose quotients are rounded waits for the next tick, and stamps its own", async ({
    skip,
  }) => {
    skip(!isMariadb, "the test was not run on MySQL");
    const options = { ...NODE, prefix: "session", functionPrefix: "session_", tickMs: 500 };
    const sql = sqlFunctions({ dialect: "mysql", ...options });
    await db.exec(sql.install);
    await db.query("SET SESSION div_precision_increment = 0", [], 5);
    await db.query("START TRANSACTION", [], 5);
    await db.query(`SELECT ${sql.nextId} AS id`, [], 5);
    await db.query("ROLLBACK", [], 5);
    // The next one waits for the next tick.
    const before = Date.now();
    const [{ id } = {}] = await db.query(`SELECT ${sql.nextId} AS id`, [], 5);
    const { timestampMs } = decode(BigInt(String(id)), { ...PRESET_TWITTER, tickMs: 500 });
    expect(timestampMs).toBeGreaterThan(before - 500);
    expect(timestampMs).toBeLessThanOrEqual(Date.now());
    await db.exec(sql.uninstall);
  });

  test("a table with the default 0 takes IDs in each kind of insert", async () => {
    const sql = sqlFunctions({ dialect: "mysql", ...NODE, prefix: "kinds", functionPrefix: "kinds_" });
    await db.exec(sql.install);
    await db.exec("CREATE TABLE kinds (id BIGINT NOT NULL DEFAULT 0 PRIMARY KEY, n INT)");
    await db.query(sql.columnDefault("kinds"));
    await db.exec(`INSERT INTO kinds (n) VALUES (1), (2); INSERT INTO kinds SET n = 3; INSERT INTO kinds (n) SELECT n + 3 FROM kinds;
REPLACE INTO kinds (n) SELECT 7; INSERT INTO kinds VALUES (0, 8), (DEFAULT, 9)`);
    const rows = await db.query("SELECT id, n FROM kinds ORDER BY n");
    expect(rows.map(({ n }) => Number(n))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (const { id } of rows) expect(decode(BigInt(String(id)), "twitter").machineId).toBe(5);
    await db.exec("DROP TABLE kinds");
    await db.exec(sql.uninstall);
  });

  test("a function of the user's is not replaced", async () => {
    await db.exec("CREATE FUNCTION mine_next_id() RETURNS BIGINT DETERMINISTIC RETURN 42");
    expect(
      await messageOf(install(db, { ...NODE, functionPrefix: "mine_" }, { hasOwnClock: true })),
    ).toContain("ERR_NAMESPACE: there is a function mine_next_id already");
    expect(await db.query("SELECT mine_next_id() AS id")).toEqual([{ id: "42" }]);
  });

  test("MariaDB: the script runs again beside inserts and beside itself, and rights are kept", async ({
    skip,
  }) => {
    skip(!isMariadb, "MySQL has a moment without functions");
    const options = { ...NODE, prefix: "busy", functionPrefix: "busy_" };
    const sql = sqlFunctions({ dialect: "mysql", ...options });
    const sessions = [0, 1, 2, 3];
    await Promise.all(sessions.map((session) => db.query(sql.install, [], session)));
    const user = `bitflake_${process.pid}`;
    await db.exec(`CREATE USER ${user}; GRANT EXECUTE ON FUNCTION busy_next_id TO ${user}`);
    try {
      let isDone = false;
      const inserts = [4, 5].map(async (session) => {
        const made: string[] = [];
        while (!isDone)
          for (const { id } of await db.query(`SELECT ${sql.nextId} AS id`, [], session))
            made.push(String(id));
        return made;
      });
      const scripts = sessions.map(async (session) => {
        for (let i = 0; i < 5; i++) await db.query(sql.install, [], session);
      });
      try {
        await Promise.all(scripts);
      } finally {
        isDone = true;
      }
      const made = (await Promise.all(inserts)).flat();
      expect(new Set(made).size).toBe(made.length);
      expect(JSON.stringify(await db.query(`SHOW GRANTS FOR ${user}`))).toContain("busy_next_id");
    } finally {
      await db.exec(`DROP USER ${user}`);
    }
  });

  test("the script without the comments that only MariaDB reads can run again too", async () => {
    const { install, nextId, uninstall } = sqlFunctions({
      dialect: "mysql",
      ...NODE,
      functionPrefix: "plain_",
      prefix: "plain",
    });
    const plain = install.replace(/\/\*M!.*?\*\//g, "");
    expect(plain).toContain("\nDROP FUNCTION IF EXISTS `plain_next_id`;\nCREATE  FUNCTION `plain_next_id`()");
    await db.exec(plain);
    await db.exec(plain);
    const [row] = await db.query(`SELECT ${nextId} AS id`);
    expect(decode(String(row?.["id"]), "twitter").machineId).toBe(5);
    await db.exec(uninstall);
  });

  test("columns of one table have triggers of their own, and the SQL can run again", async () => {
    const sql = await install(db, { ...NODE, functionPrefix: "cols_" }, { hasOwnClock: true });
    await db.exec("CREATE TABLE cols (id BIGINT PRIMARY KEY, other BIGINT)");
    await db.exec(sql.columnDefault("cols"));
    await db.exec(sql.columnDefault("cols", "other"));
    if (isMariadb) await db.exec(sql.columnDefault("cols"));
    await db.exec("INSERT INTO cols VALUES (NULL, NULL)");
    const [{ id, other } = {}] = await db.query("SELECT id, other FROM cols");
    expect(BigInt(String(other)) - BigInt(String(id))).not.toBe(0n);
    for (const value of [id, other]) expect(decode(String(value), "twitter").machineId).toBe(5);
    // The longest name of a trigger.
    const table = "t".repeat(64 - "cols_.id".length);
    await db.exec(`CREATE TABLE ${table} (id BIGINT PRIMARY KEY)`);
    await db.exec(sql.columnDefault(table));
    await db.exec(`DROP TABLE ${table}; DROP TABLE cols`);
  });

  test("columnDefault does not take the trigger of another table, as of one that was renamed", async () => {
    const sql = await install(
      db,
      { ...NODE, prefix: "named", functionPrefix: "named_" },
      { hasOwnClock: true },
    );
    const create = (table: string, column: string) =>
      db.exec(`CREATE TABLE \`${table}\` (\`${column}\` BIGINT PRIMARY KEY)`);
    const errno = isMariadb ? 1360 : 1359;
    await create("named", "id");
    await db.exec(sql.columnDefault("named"));
    await db.exec("RENAME TABLE named TO named_old");
    await create("named", "id");
    await expect(db.exec(sql.columnDefault("named"))).rejects.toMatchObject({ errno });
    await db.exec("INSERT INTO named_old VALUES (NULL)");
    const [{ id } = {}] = await db.query("SELECT id FROM named_old");
    expect(decode(String(id), "twitter").machineId).toBe(5);
    await create("a", "b.c");
    await create("a.b", "c");
    await db.exec(sql.columnDefault("a", "b.c"));
    await expect(db.exec(sql.columnDefault("a.b", "c"))).rejects.toMatchObject({ errno });
    await db.exec("DROP TABLE named, named_old, a, `a.b`");
  });

  test("with innodb_snapshot_isolation, a transaction that has read before is error 1020, and its repetition works", async () => {
    const [variable] = await db.query("SHOW VARIABLES LIKE 'innodb_snapshot_isolation'");
    if (!variable) return;
    const sql = await install(
      db,
      { ...NODE, prefix: "snap", functionPrefix: "snap_" },
      { hasOwnClock: true },
    );
    await db.query("SET SESSION innodb_snapshot_isolation = ON", [], 1);
    const read = async () => {
      await db.query("START TRANSACTION", [], 1);
      await db.query("SELECT COUNT(*) FROM snap_sql", [], 1);
    };
    await read();
    const seen = [await sql.next(0)];
    await expect(sql.next(1)).rejects.toMatchObject({ errno: 1020 });
    await db.query("ROLLBACK", [], 1);
    // Again, with no ID in between
    await read();
    seen.push(await sql.next(1));
    await db.query("COMMIT", [], 1);
    // READ COMMITTED has one snapshot per statement.
    await db.query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", [], 1);
    await read();
    seen.push(await sql.next(0), await sql.next(1));
    await db.query("COMMIT", [], 1);
    expect(new Set(seen).size).toBe(4);
  });

  test("with auto_increment_increment above 1 each ID waits for a later tick, and none repeats", async () => {
    const sql = await install(
      db,
      { ...NODE, prefix: "galera", functionPrefix: "galera_" },
      { hasOwnClock: true },
    );
    await db.query("SET SESSION auto_increment_increment = 3", [], 2);
    const ids = [await sql.next(0), ...(await sql.many(5, 2)), await sql.next(0)];
    expect(new Set(ids).size).toBe(7);
    const ticks = ids.slice(1, -1).map((id) => decode(id, "twitter").timestampMs);
    expect(new Set(ticks).size).toBe(5);
  });

  test("a clock that steps back during a statement stamps no ID ahead of it", async () => {
    // One ID in a tick, so that the second one of a statement reads the present.
    const layout = { timestampBits: 41, datacenterBits: 0, machineBits: 22, sequenceBits: 0 };
    const sql = await install(
      db,
      { ...NODE, ...layout, prefix: "stepped", functionPrefix: "stepped_" },
      { hasOwnClock: true },
    );
    const presentMs = async () =>
      Number((await db.query("SELECT FLOOR(UNIX_TIMESTAMP(SYSDATE(6)) * 1000) AS ms"))[0]?.["ms"]);
    const ids = [await sql.next(0)];
    // Since the start of a statement the clock of this session has stepped back, and at last run on.
    for (const stepMs of [1, 500, 10_000, 840_000, -840_000]) {
      await db.query(`SET timestamp = UNIX_TIMESTAMP(SYSDATE(6)) + ${stepMs / 1000}`, [], 3);
      ids.push(...(await sql.many(2, 3)));
      await db.query("START TRANSACTION", [], 3);
      ids.push(await sql.next(3));
      await db.query("ROLLBACK", [], 3);
      const nowMs = await presentMs();
      for (const id of ids) expect(decode(id, layout).timestampMs).toBeLessThanOrEqual(nowMs);
      ids.push(await sql.next(0));
    }
    await db.query("SET timestamp = DEFAULT", [], 3);
    expect(new Set(ids).size).toBe(21);
    for (const [i, id] of ids.entries()) expect(id).toBeGreaterThan(ids[i - 1] ?? -1n);
  });

  test.skipIf(!startable.mariadb)(
    "a server that runs with sysdate_is_now is refused, because it has no present in a statement",
    async () => {
      const server = await startMariadb({ more: ["--sysdate-is-now"] });
      try {
        const connection = await mysql.createConnection({ uri: server.url, multipleStatements: true });
        const sql = sqlFunctions({ dialect: "mysql", ...NODE });
        await expect(connection.query(sql.install)).rejects.toMatchObject({
          sqlState: "IDARG",
          message: "ERR_ARGUMENT: the server must run without sysdate_is_now",
        });
        await connection.end();
      } finally {
        await server.stop();
      }
    },
  );
});
