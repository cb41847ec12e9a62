// The functions in PostgreSQL: locks, rights, cancelled statements, column defaults of ORMs, and processes beside sessions.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { PrismaPg } from "@prisma/adapter-pg";
import { decode } from "bitflake";
import { type SqlFunctions, type SqlOptions, sqlFunctions } from "bitflake/sql";
import { sql as drizzleSql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { bigint, pgTable, text } from "drizzle-orm/pg-core";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generatePrisma } from "../orm/prismaClient.ts";
import { type Database, engines, install } from "./engines.ts";

const EPOCH = 1_577_836_800_000;
const NODE = { node: { machineId: 5 } };
const engine = engines.find(({ name }) => name === "postgres");

describe.skipIf(!engine)("PostgreSQL", () => {
  let db: Database;
  beforeAll(async () => {
    if (engine) db = await engine.open();
  });
  afterAll(() => db?.close());

  const advisoryLocks = async () =>
    Number(
      // Other test files use the same server.
      (
        await db.query(
          "SELECT COUNT(*) AS count FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database WHERE locktype = 'advisory' AND datname = current_database()",
        )
      )[0]?.["count"],
    );

  test("a transaction that stays open blocks no other session, and holds no advisory lock", async () => {
    const sql = await install(db, NODE, { hasOwnClock: true });
    await db.query("BEGIN");
    const first = await sql.next(0);
    await db.query("SET lock_timeout = '30s'", [], 1);
    expect(await sql.next(1)).toBeGreaterThan(first);
    expect(await advisoryLocks()).toBe(0);
    await db.query("COMMIT");
  });

  test("a call that throws takes no value of the sequence, however often it is repeated", async () => {
    const layout = { timestampBits: 41, datacenterBits: 0, machineBits: 22, sequenceBits: 0 };
    const sql = await install(db, { ...NODE, ...layout, functionPrefix: "full_", tickMs: 10_000 });
    const word = async () =>
      (await db.query('SELECT last_value FROM "bitflake_sql_full_state"'))[0]?.["last_value"];
    await sql.setClock(EPOCH + 100_000);
    await sql.next();
    // The first call after the last sequence number may take one, by which later calls see that the tick is full.
    await expect(sql.next()).rejects.toMatchObject({ code: "IDFUL" });
    const before = await word();
    for (let i = 0; i < 20; i++) await expect(sql.next(i % 8)).rejects.toMatchObject({ code: "IDFUL" });
    await sql.setClock(EPOCH + 50_000);
    for (let i = 0; i < 20; i++) await expect(sql.next(i % 8)).rejects.toMatchObject({ code: "IDCLK" });
    expect(await word()).toBe(before);
  });

  test("after cancelled statements and an ended connection no lock is left", async () => {
    const layout = { timestampBits: 41, datacenterBits: 0, machineBits: 16, sequenceBits: 6 };
    const sql = await install(db, { ...NODE, ...layout }, { hasOwnClock: true });
    await db.query("CREATE TABLE cancelled (id bigint PRIMARY KEY)");
    // The timeout before may cancel the statement that sets the next one.
    const setTimeoutOf = async (ms: number, session: number): Promise<void> => {
      const set = db.query(`SET statement_timeout = ${ms}`, [], session);
      await set.catch(({ code }) => {
        expect(code).toBe("57014");
        return setTimeoutOf(ms, session);
      });
    };
    // Each session is cancelled at some moment of its loop, with the lock or without.
    const hammer = async (session: number) => {
      for (let ms = 1; ms <= 25; ms++) {
        await setTimeoutOf(ms, session);
        await db
          .query(`INSERT INTO cancelled SELECT ${sql.nextId} FROM GENERATE_SERIES(1, 1000000)`, [], session)
          .then(
            () => expect.unreachable(),
            ({ code }) => expect(code).toBe("57014"),
          );
      }
      await setTimeoutOf(0, session);
    };
    await Promise.all([1, 2, 3, 4].map(hammer));
    expect(await advisoryLocks()).toBe(0);
    const [{ pid } = {}] = await db.query("SELECT pg_backend_pid() AS pid", [], 7);
    const killed = db.query(`SELECT ${sql.nextId} FROM GENERATE_SERIES(1, 10000000)`, [], 7);
    await Promise.all([
      expect(killed).rejects.toThrow(),
      db.query("SELECT pg_terminate_backend($1, 30000)", [pid]),
    ]);
    expect(await advisoryLocks()).toBe(0);
    const ids = (await Promise.all([0, 1, 2].map((session) => sql.many(500, session)))).flat();
    expect(new Set(ids).size).toBe(1500);
  });

  test("a role needs no right to the sequence, and its search_path changes nothing", async () => {
    const sql = await install(
      db,
      { ...NODE, functionPrefix: "role_", prefix: "role" },
      { hasOwnClock: true },
    );
    await db.exec(`
      CREATE SCHEMA hostile;
      CREATE FUNCTION hostile.take(bigint, bigint) RETURNS bigint LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the operator of the caller, as %', current_user; END $$;
      CREATE FUNCTION hostile.take(bigint, integer) RETURNS bigint LANGUAGE sql AS 'SELECT hostile.take($1, $2::bigint)';
      CREATE OPERATOR hostile.- (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = hostile.take);
      CREATE OPERATOR hostile.& (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = hostile.take);
      CREATE OPERATOR hostile.>> (LEFTARG = bigint, RIGHTARG = integer, FUNCTION = hostile.take);
      CREATE OPERATOR hostile.<< (LEFTARG = bigint, RIGHTARG = integer, FUNCTION = hostile.take);
      CREATE ROLE bitflake_plain; GRANT USAGE ON SCHEMA hostile TO bitflake_plain`);
    try {
      await db.query("SET ROLE bitflake_plain", [], 2);
      await db.query("SET search_path = hostile, public, pg_catalog", [], 2);
      // The operators are there for statements of the caller.
      await expect(db.query("SELECT 2::bigint - 1::bigint", [], 2)).rejects.toThrow(
        "the operator of the caller",
      );
      const ids = await sql.many(3000, 2);
      expect(new Set(ids).size).toBe(3000);
      await expect(db.query("SELECT setval('public.role_sql_role_state', 1)", [], 2)).rejects.toThrow(
        "permission denied",
      );
    } finally {
      await db.query("RESET ROLE", [], 2);
      await db.query("RESET search_path", [], 2);
      await db.exec("DROP SCHEMA hostile CASCADE; DROP ROLE bitflake_plain");
    }
  });

  test("a failover that loses the claim is fenced: a namespace with another history gives no node", async () => {
    const { setup } = await import("bitflake/backend");
    const { leaseNode } = await import("bitflake/lease");
    await setup(db.backend, ["lease"]);
    const lease = await leaseNode({ backend: db.backend, name: "history" });
    await db.query("UPDATE bitflake_namespaces SET history = 'another' WHERE namespace = 'history'");
    await expect(install(db, { name: "history" })).rejects.toMatchObject({ code: "IDFEN" });
    await lease.release();
  });

  test("a function of the user's own is not replaced", async () => {
    await db.exec("CREATE FUNCTION mine_next_id() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'");
    await expect(install(db, { ...NODE, functionPrefix: "mine_" })).rejects.toThrow("already exists");
    expect((await db.query("SELECT mine_next_id() AS id"))[0]).toEqual({ id: "1" });
  });

  const layout = { timestampBits: 41, datacenterBits: 0, machineBits: 2, sequenceBits: 20 };
  const scripts = (options: Partial<SqlOptions>) =>
    sqlFunctions({ dialect: "postgres", ...layout, ...options } as SqlOptions);
  const ownerOf = async (node: string) =>
    (await db.query(`SELECT owner FROM bitflake_nodes WHERE namespace = 'orders' AND node = ${node}`))[0]?.[
      "owner"
    ];

  /** Runs a function beside a role that may create objects in the schema, and returns whether the role became a superuser. */
  async function besideRole(setting: string, run: () => Promise<void>): Promise<unknown> {
    await db.exec("CREATE ROLE bitflake_hostile; GRANT CREATE, USAGE ON SCHEMA public TO bitflake_hostile");
    try {
      await db.exec(`SET ROLE bitflake_hostile; ${setting}; RESET ROLE`);
      await run();
      return (await db.query("SELECT rolsuper FROM pg_roles WHERE rolname = 'bitflake_hostile'"))[0]?.[
        "rolsuper"
      ];
    } finally {
      await db.exec("DROP OWNED BY bitflake_hostile CASCADE; DROP ROLE bitflake_hostile");
    }
  }
  const TAKE = "BEGIN EXECUTE 'ALTER ROLE bitflake_hostile SUPERUSER'; EXCEPTION WHEN OTHERS THEN NULL; END;";

  test("no operator, function or type of another role runs when a script runs", async () => {
    const operators = [
      ...["*", "/", "-", "+"].flatMap((name) =>
        ["float8, int4", "numeric, int4", "int8, numeric", "float8, int8"].map(
          (types) => [name, types] as const,
        ),
      ),
      ...["||", "~~", "=", "<>"].flatMap((name) =>
        ["text, varchar", "uuid, text", "text, unknown", "name, name", "name, text"].map(
          (types) => [name, types] as const,
        ),
      ),
    ].filter(([, types]) => !types.includes("unknown"));
    const setting = operators
      .map(([name, types], i) => {
        const [left, right] = types.split(", ");
        return `CREATE FUNCTION hostile_${i}(a ${left}, b ${right}) RETURNS ${name.match(/[=~<]/) ? "boolean" : left} LANGUAGE plpgsql AS
          $$ BEGIN ${TAKE} RETURN ${name.match(/[=~<]/) ? "false" : "a"}; END $$;
          CREATE OPERATOR public.${name} (LEFTARG = ${left}, RIGHTARG = ${right}, FUNCTION = hostile_${i})`;
      })
      .join(";");
    const types = `CREATE FUNCTION public.take() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN ${TAKE} RETURN true; END $$;
      CREATE DOMAIN public.text AS pg_catalog.text CHECK (public.take());
      CREATE FUNCTION public.floor(a pg_catalog.float8) RETURNS pg_catalog.float8 LANGUAGE plpgsql AS $$ BEGIN ${TAKE} RETURN a; END $$`;
    const { install, uninstall } = scripts({
      node: { machineId: 1 },
      prefix: "operators",
      functionPrefix: "operators_",
    });
    const path = "SELECT current_setting('search_path') AS path";
    const isSuper = await besideRole(`${setting}; ${types}`, async () => {
      // Also with a search_path in which pg_catalog is last.
      for (const searchPath of ["public", "public, pg_catalog"]) {
        await db.query(`SET search_path = ${searchPath}`);
        const before = await db.query(path);
        await db.query("BEGIN");
        for (const script of [install, install, uninstall]) await db.query(script);
        expect(await db.query(path)).toEqual(before);
        await db.query("COMMIT");
        expect(await db.query(path)).toEqual(before);
        await db.query("RESET search_path");
      }
    });
    expect(isSuper).toBe(false);
  });

  test("a table that another role has created before is refused, and its triggers do not run", async () => {
    const { install, uninstall } = scripts({
      node: { machineId: 1 },
      prefix: "planted",
      functionPrefix: "planted_",
    });
    const table =
      "CREATE TABLE public.planted_sql (functions text UNIQUE, shape text NOT NULL, name text, node bigint NOT NULL, owner text, state bigint)";
    const trigger = `CREATE FUNCTION public.take() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${TAKE} RETURN NEW; END $$;
      CREATE TRIGGER take BEFORE INSERT OR UPDATE OR DELETE ON public.planted_sql FOR EACH ROW EXECUTE FUNCTION public.take()`;
    const view = `CREATE FUNCTION public.take() RETURNS text LANGUAGE plpgsql AS $$ BEGIN ${TAKE} RETURN ''; END $$;
      CREATE VIEW public.planted_sql AS SELECT public.take() AS functions, '' AS shape, NULL::text AS name, 1::bigint AS node, '' AS owner, 0 AS state`;
    for (const setting of [table, `${table}; ${trigger}`, view]) {
      const isSuper = await besideRole(setting, async () => {
        for (const script of [install, uninstall])
          await expect(db.query(script)).rejects.toMatchObject({
            code: "IDNSP",
            message: expect.stringContaining(
              '"planted_sql" must be a table of the role that runs the script',
            ),
          });
      });
      expect(isSuper).toBe(false);
    }
    // Neither runs a trigger of another role on a table of the own role.
    const isSuper = await besideRole("SELECT 1", async () => {
      await db.query(table);
      await db.query("GRANT ALL ON planted_sql TO bitflake_hostile");
      await db.exec(`SET ROLE bitflake_hostile; ${trigger}; RESET ROLE`);
      await expect(db.query(install)).rejects.toMatchObject({ code: "IDNSP" });
      await db.query("DROP TABLE planted_sql");
    });
    expect(isSuper).toBe(false);
  });

  test("a leases table of another role is refused", async () => {
    const { setup } = await import("bitflake/backend");
    await setup(db.backend, ["lease"]);
    const isSuper = await besideRole("SELECT 1", async () => {
      await db.exec("ALTER TABLE bitflake_nodes OWNER TO bitflake_hostile");
      await expect(db.query(scripts({ name: "owned", functionPrefix: "owned_" }).install)).rejects.toThrow(
        '"bitflake_nodes" must be a table of the role that runs the script',
      );
      await db.exec("ALTER TABLE bitflake_nodes OWNER TO CURRENT_USER");
    });
    expect(isSuper).toBe(false);
  });

  test("functions that are removed and installed again go on after the last ID, also when the clock is set back", async () => {
    const day = { ...layout, tickMs: 86_400_000 };
    const options = { ...NODE, ...day, node: { machineId: 1 }, prefix: "again", functionPrefix: "pg_again_" };
    const sql = await install(db, options);
    await sql.setClock(EPOCH + 10 * 86_400_000);
    const ids = [await sql.next(), await sql.next()];
    await db.exec(sql.uninstall);
    await db.exec("DROP TABLE pg_again_test_clock");
    const again = await install(db, options);
    await again.setClock(EPOCH + 10 * 86_400_000);
    ids.push(await again.next());
    await again.setClock(EPOCH + 9 * 86_400_000);
    await expect(again.next()).rejects.toMatchObject({ code: "IDCLK" });
    await db.exec(again.uninstall);
    // So do those with another prefix.
    const other = await install(db, { ...options, functionPrefix: "pg_other_" });
    await other.setClock(EPOCH + 10 * 86_400_000);
    ids.push(await other.next());
    expect(ids.map((id) => decode(id, day).sequence)).toEqual([0, 1, 2, 3]);
  });

  test("a second set with the node of the first one is refused, chosen or leased", async () => {
    const { setup } = await import("bitflake/backend");
    await setup(db.backend, ["lease"]);
    const first = scripts({ node: { machineId: 0 }, functionPrefix: "twin_a_" });
    await db.query(first.install);
    const twins = [{ node: { machineId: 0 } }, { name: "twins" }];
    for (const twin of twins)
      await expect(db.query(scripts({ ...twin, functionPrefix: "twin_b_" }).install)).rejects.toMatchObject({
        code: "IDNSP",
        message: 'ERR_NAMESPACE: node 0 is that of the functions with the prefix "twin_a_"',
      });
    // Another node or another format is no twin.
    for (const other of [{ node: { machineId: 1 } }, { node: { machineId: 0 }, tickMs: 2 }]) {
      const { install, uninstall } = scripts({ ...other, functionPrefix: "twin_b_" });
      await db.query(install);
      await db.query(uninstall);
    }
    await db.query(first.uninstall);
  });

  test("a script of a transaction with a snapshot is refused, because it does not see the script before it", async () => {
    const options = { node: { machineId: 1 }, prefix: "snap" };
    const [a, b] = ["snap_a_", "snap_b_"].map((functionPrefix) =>
      scripts({ ...options, functionPrefix }),
    ) as [SqlFunctions, SqlFunctions];
    for (const level of ["REPEATABLE READ", "SERIALIZABLE"])
      for (const script of [a.install, a.uninstall]) {
        await db.query(`BEGIN ISOLATION LEVEL ${level}`);
        await expect(db.query(script)).rejects.toMatchObject({
          code: "IDARG",
          message: `ERR_ARGUMENT: the script must run at READ COMMITTED, got ${level}`,
        });
        await db.query("ROLLBACK");
      }
    // The table exists, so that the second script waits for the first one's lock alone.
    await db.query(a.install);
    await db.query(a.uninstall);
    for (const session of [0, 1]) await db.query("BEGIN", [], session);
    await db.query(a.install, [], 0);
    const second = expect(db.query(b.install, [], 1)).rejects.toMatchObject({ code: "IDNSP" });
    await db.query("COMMIT", [], 0);
    await second;
    await db.query("ROLLBACK", [], 1);
    await db.query(a.uninstall);
  });

  test("a node that a lease takes at the same moment is left to it, and another one is taken", async () => {
    const { setup } = await import("bitflake/backend");
    const { leaseNode } = await import("bitflake/lease");
    await setup(db.backend, ["lease"]);
    await (await leaseNode({ backend: db.backend, ...layout, name: "taken" })).release();
    await db.query("UPDATE bitflake_nodes SET until = 0 WHERE namespace = 'taken'");
    const sql = scripts({ name: "taken", functionPrefix: "taken_" });
    await db.query("BEGIN", [], 1);
    await db.query(
      "UPDATE bitflake_nodes SET until = 4000000000000 WHERE namespace = 'taken' AND node = 0",
      [],
      1,
    );
    const installed = db.query(sql.install);
    // Ends the wait below if it fails at once; the error is that of `await installed`.
    let hasEnded = false;
    const end = () => {
      hasEnded = true;
    };
    installed.then(end, end);
    const waiting =
      "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    while (!hasEnded && (await db.query(waiting, [], 2)).length === 0);
    await db.query("COMMIT", [], 1);
    await installed;
    const [{ id } = {}] = await db.query(`SELECT ${sql.nextId} AS id`);
    expect(decode(String(id), layout).machineId).toBe(1);
    await db.query(sql.uninstall);
  });

  test.each([
    ["extract()", (script: string) => script],
    // Before PostgreSQL 14, extract() was date_part().
    ["doubles", (script: string) => script.replace(/extract\((\w+) FROM /g, "date_part('$1', ")],
  ])("id_range is exact to the microsecond with %s, also at the ends of time", async (_, write) => {
    const sql = scripts({ node: { machineId: 1 }, prefix: "exact", functionPrefix: "exact_" });
    await db.query(write(sql.install));
    const range = async (from: string, to: string) => {
      const [{ min_id, max_id } = {}] = await db.query(sql.idRange, [from, to]);
      return [BigInt(String(min_id)) >> 22n, (BigInt(String(max_id)) + 1n) >> 22n];
    };
    for (const [second, ms] of [
      ["2020-01-01 00:00:00", 0n],
      ["2029-12-31 23:59:59", 315_619_199_000n],
      ["2089-09-06 15:47:34", 2_199_023_254_000n],
    ] as const) {
      // A moment within a tick begins with the next one.
      expect(await range(`${second}.001+00`, `${second}.001001+00`)).toEqual([ms + 1n, ms + 2n]);
      expect(await range(`${second}.000999+00`, `${second}.002+00`)).toEqual([ms + 1n, ms + 2n]);
    }
    expect(await range("-infinity", "infinity")).toEqual([0n, 2n ** 41n]);
    expect(await range("0044-03-15 12:00:00.5 BC", "2020-01-01 00:00:00.0005+00")).toEqual([0n, 1n]);
    await db.query(sql.uninstall);
  });

  test("a copy of the schema alone makes no ID, and is repaired by uninstall and install", async () => {
    const [a, b] = [1, 2].map((machineId) =>
      scripts({ node: { machineId }, prefix: "copy", functionPrefix: "copy_" }),
    ) as [SqlFunctions, SqlFunctions];
    await db.query(a.install);
    await db.query(`SELECT ${a.nextId}`);
    // The state of a schema dump: the functions, a sequence as created, and an empty table.
    await db.exec("ALTER SEQUENCE copy_sql_copy_state RESTART; DELETE FROM copy_sql");
    await expect(db.query(`SELECT ${a.nextId}`)).rejects.toMatchObject({ code: "IDNSP" });
    await expect(db.query(b.install)).rejects.toMatchObject({
      code: "IDNSP",
      message: expect.stringContaining("run the uninstall script first"),
    });
    await db.query(b.uninstall);
    await db.query(b.install);
    const [{ id } = {}] = await db.query(`SELECT ${b.nextId} AS id`);
    expect(decode(String(id), layout).machineId).toBe(2);
    await db.query(b.uninstall);
    await expect(db.query(b.uninstall)).rejects.toThrow('no functions with the prefix "copy_" are installed');
  });

  test("without its sequence a script that is run again is refused, and uninstall repairs it", async () => {
    const sql = scripts({ node: { machineId: 1 }, prefix: "lost", functionPrefix: "lost_" });
    await db.query(sql.install);
    await db.query("DROP SEQUENCE lost_sql_lost_state");
    await expect(db.query(sql.install)).rejects.toMatchObject({ code: "IDNSP" });
    await db.query(sql.uninstall);
    await db.query(sql.install);
    await db.query(`SELECT ${sql.nextId}`);
    await db.query(sql.uninstall);
  });

  test("uninstall with the options of other functions is refused, and leaves the lease", async () => {
    const { setup } = await import("bitflake/backend");
    await setup(db.backend, ["lease"]);
    const functionPrefix = "other_";
    const byName = scripts({ name: "orders", functionPrefix });
    await db.query(byName.install);
    const [{ node } = {}] = await db.query("SELECT node FROM bitflake_sql WHERE functions = 'other_'");
    for (const other of [
      { node: { machineId: Number(node) } },
      { name: "invoices" },
      { name: "orders", tickMs: 2 },
    ])
      await expect(db.query(scripts({ ...other, functionPrefix }).uninstall)).rejects.toMatchObject({
        code: "IDNSP",
      });
    expect(await ownerOf(String(node))).toMatch(/ sql$/);
    await db.query(byName.uninstall);
    expect(await ownerOf(String(node))).toBe(null);
  });

  test("a name that is part of the script stays as it is", async () => {
    await db.query("CREATE SCHEMA shifted_node");
    const sql = scripts({
      ...{ node: { machineId: 1 }, schema: "shifted_node", prefix: "shifted_node" },
      functionPrefix: "shifted_node_",
    });
    await db.query(sql.install);
    const [{ id } = {}] = await db.query(`SELECT ${sql.nextId} AS id`);
    expect(decode(String(id), layout).machineId).toBe(1);
    await db.query(sql.uninstall);
    await db.query("DROP SCHEMA shifted_node CASCADE");
  });

  test("a session that keeps the advisory lock is named by the error", async () => {
    const sql = scripts({ node: { machineId: 1 }, prefix: "locked", functionPrefix: "locked_" });
    await db.query(sql.install);
    const [{ oid } = {}] = await db.query("SELECT 'locked_sql_locked_state'::regclass::oid::integer AS oid");
    await db.query("SELECT pg_advisory_lock(1718381312, $1)", [oid], 1);
    await expect(db.query(`SELECT ${sql.nextId}`)).rejects.toMatchObject({
      code: "IDBAK",
      message: expect.stringContaining(
        `ERR_BACKEND: another session holds the advisory lock (1718381312, ${oid})`,
      ),
    });
    await db.query("SELECT pg_advisory_unlock(1718381312, $1)", [oid], 1);
    await db.query(`SELECT ${sql.nextId}`);
    await db.query(sql.uninstall);
  });

  describe("defaults of ORMs", () => {
    let url = "";
    beforeAll(async () => {
      await install(db, { ...NODE, functionPrefix: "" }, { hasOwnClock: true });
      await db.query('CREATE TABLE "Order" (id bigint PRIMARY KEY DEFAULT next_id(), note text NOT NULL)');
      const [{ name } = {}] = await db.query("SELECT current_database() AS name");
      const address = new URL(process.env.DATABASE_URL as string);
      address.pathname = `/${name}`;
      url = address.href;
    });

    test("Prisma: dbgenerated", async () => {
      const { address } = await generatePrisma(
        "sql",
        "postgresql",
        'model Order {\n  id BigInt @id @default(dbgenerated("next_id()"))\n  note String\n}',
      );
      const { PrismaClient } = await import(/* @vite-ignore */ address);
      const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) });
      const { id } = await prisma.order.create({ data: { note: "a" } });
      expect(decode(id, "twitter").machineId).toBe(5);
      expect(await prisma.order.findUnique({ where: { id } })).toEqual({ id, note: "a" });
      await prisma.$disconnect();
    });

    test("Drizzle: sql", async () => {
      const orders = pgTable("Order", {
        id: bigint({ mode: "bigint" }).primaryKey().default(drizzleSql`next_id()`),
        note: text().notNull(),
      });
      const pool = new pg.Pool({ connectionString: url, max: 1 });
      const [row] = await drizzle(pool).insert(orders).values({ note: "b" }).returning();
      expect(decode(row?.id as bigint, "twitter").machineId).toBe(5);
      await pool.end();
    });
  });

  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  test.skipIf(major < 22 || (major === 22 && minor < 18))(
    "sessions and processes with leases make no ID twice",
    async () => {
      const script = fileURLToPath(new URL("../../../bench/sql-collisions.mjs", import.meta.url));
      const args = ["--no-warnings", script, "--sessions", "4", "--ids", "3000", "--processes", "2"];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      expect(stdout).toContain("18000 rows of 18000, 3 nodes, 0 collisions");
    },
  );
});
