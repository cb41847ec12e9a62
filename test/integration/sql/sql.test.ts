// The rules of sqlFunctions on each engine: the clock rule, decode and range as in JavaScript, installation, leases.

import { decode, PRESET_TWITTER, SnowflakeGenerator } from "bitflake";
import { setup } from "bitflake/backend";
import { inspect, leaseNode } from "bitflake/lease";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Database, engines, install } from "./engines.ts";

const EPOCH = 1_577_836_800_000;
const START = EPOCH + 1_000_000;
const NODE = { node: { machineId: 5 } };

/** Returns the message of an error, to which the engine may add a prefix. */
const messageOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "no error",
    (error: Error) => error.message,
  );

describe.each(engines)("$name", ({ name, open }) => {
  let db: Database;
  beforeAll(async () => {
    db = await open();
  });
  afterAll(() => db.close());
  const isSqlite = name === "sqlite";

  test("IDs have the fields of the clock, the node and the order of calls", async () => {
    const sql = await install(db, { node: { datacenterId: 3, machineId: 5 } });
    await sql.setClock(START);
    const ids = [await sql.next(), await sql.next()];
    await sql.setClock(START + 7);
    ids.push(await sql.next());
    expect(ids.map((id) => decode(id, "twitter"))).toMatchObject(
      [
        [START, 0],
        [START, 1],
        [START + 7, 0],
      ].map(([timestampMs, sequence]) => ({ timestampMs, sequence, datacenterId: 3, machineId: 5 })),
    );
  });

  test("a clock that steps back by up to maxBackwardMs goes on in the last tick, by more is an error", async () => {
    const sql = await install(db, NODE);
    await sql.setClock(START);
    await sql.next();
    await sql.setClock(START - 6);
    expect(decode(await sql.next(), "twitter")).toMatchObject({ timestampMs: START, sequence: 1 });
    // Small steps add up.
    await sql.setClock(START - 11);
    const message = await messageOf(sql.next());
    expect(message).toContain("ERR_CLOCK_BACKWARDS: the clock stepped back");
    if (!isSqlite) expect(message).toContain(`11 ms, from ${START} to ${START - 11}; maxBackwardMs is 10`);
    await sql.setClock(START - 10);
    expect(decode(await sql.next(), "twitter")).toMatchObject({ timestampMs: START, sequence: 2 });
  });

  test("a clock before the epoch and one after the last tick are errors, and change nothing", async () => {
    const sql = await install(db, { ...NODE, preset: "twitter" });
    await sql.setClock(EPOCH - 1);
    expect(await messageOf(sql.next())).toContain("ERR_EPOCH");
    const last = EPOCH + 2 ** 41 - 1;
    await sql.setClock(last + 1);
    expect(await messageOf(sql.next())).toContain("ERR_TIMESTAMP_OVERFLOW");
    await sql.setClock(EPOCH);
    expect(decode(await sql.next(), "twitter")).toMatchObject({ timestampMs: EPOCH, sequence: 0 });
    await sql.setClock(last);
    expect(decode(await sql.next(), "twitter")).toMatchObject({ timestampMs: last, sequence: 0 });
  });

  test("a full tick of an hour is an error at once, and the next tick works", async () => {
    const layout = { timestampBits: 56, datacenterBits: 0, machineBits: 5, sequenceBits: 2 };
    const sql = await install(db, {
      ...NODE,
      ...{ ...layout, timestampBits: 46, machineBits: 15 },
      tickMs: 3_600_000,
    });
    await sql.setClock(START);
    for (let i = 0; i < 4; i++) await sql.next();
    expect(await messageOf(sql.next())).toContain("ERR_SEQUENCE_EXHAUSTED");
    await sql.setClock(START + 3_600_000);
    const options = { ...layout, timestampBits: 46, machineBits: 15, tickMs: 3_600_000 };
    expect(decode(await sql.next(), options)).toMatchObject({ sequence: 0, machineId: 5 });
  });

  test.skipIf(isSqlite)("a clock that stands still in a full tick is an error after 2 s", async () => {
    const options = { timestampBits: 41, datacenterBits: 0, machineBits: 22, sequenceBits: 0 };
    const sql = await install(db, { ...NODE, ...options });
    await sql.setClock(START);
    await sql.next();
    expect(await messageOf(sql.next())).toContain(`ERR_CLOCK_STALLED: the clock stands still at ${START}`);
  });

  test.skipIf(!isSqlite)("a full tick goes on in the next one, up to a second ahead", async () => {
    const layout = { timestampBits: 41, datacenterBits: 0, machineBits: 22, sequenceBits: 0 };
    const sql = await install(db, { ...NODE, ...layout });
    await sql.setClock(START);
    const ids = await sql.many(1001);
    expect(decode(ids.at(-1) as bigint, layout).timestampMs).toBe(START + 1000);
    expect(await messageOf(sql.next())).toContain("ERR_SEQUENCE_EXHAUSTED");
    // The clock itself has not stepped back, and may still step back by 10 ms.
    await sql.setClock(START - 10);
    expect(await messageOf(sql.next())).toContain("ERR_SEQUENCE_EXHAUSTED");
    await sql.setClock(START - 11);
    expect(await messageOf(sql.next())).toContain("ERR_CLOCK_BACKWARDS");
    await sql.setClock(START + 1);
    expect(decode(await sql.next(), layout).timestampMs).toBe(START + 1001);
  });

  test("IDs strictly increase under any clock, and none is ahead of the highest reading", async () => {
    const layout = { timestampBits: 41, datacenterBits: 5, machineBits: 9, sequenceBits: 8, tickMs: 5 };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: -15, max: 20 }), fc.integer({ min: 1, max: 3 })), {
          maxLength: 12,
        }),
        async (steps) => {
          const sql = await install(db, { ...NODE, ...layout });
          let [nowMs, highestMs, last] = [START, 0, -1n];
          for (const [stepMs, calls] of steps) {
            nowMs += stepMs;
            await sql.setClock(nowMs);
            for (let call = 0; call < calls; call++) {
              const id = await sql.next().catch((error: Error) => {
                expect(error.message).toContain("ERR_CLOCK_BACKWARDS");
                return undefined;
              });
              if (id === undefined) {
                expect(highestMs - nowMs).toBeGreaterThan(10);
                continue;
              }
              expect(id).toBeGreaterThan(last);
              last = id;
              highestMs = Math.max(highestMs, nowMs);
              const { timestampMs } = decode(id, layout);
              expect(timestampMs).toBe(highestMs - ((highestMs - EPOCH) % 5));
            }
          }
        },
      ),
      { numRuns: 12 },
    );
  });

  test("decode and range are those of JavaScript", async () => {
    const widths = fc
      .tuple(
        fc.integer({ min: 1, max: 53 }),
        fc.integer({ min: 0, max: 20 }),
        fc.integer({ min: 0, max: 20 }),
      )
      .map(([time, datacenterBits, machineBits]) => {
        const total = time + datacenterBits + machineBits;
        const sequenceBits = Math.min(Math.max(63 - total, 0), 53);
        return {
          timestampBits: 63 - datacenterBits - machineBits - sequenceBits,
          datacenterBits,
          machineBits,
          sequenceBits,
        };
      })
      .filter(({ timestampBits }) => timestampBits >= 1 && timestampBits <= 53);
    const moment = fc.oneof(
      fc.integer({ min: -1e13, max: 8.64e15 }),
      fc.integer({ min: EPOCH - 20, max: EPOCH + 20 }),
      fc.constantFrom(8.64e15, EPOCH + 2 ** 41 - 1, EPOCH + 2 ** 41, EPOCH + 2 ** 20),
    );
    await fc.assert(
      fc.asyncProperty(
        widths,
        fc.constantFrom(1, 7, 1000),
        fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
        moment,
        moment,
        async (layout, tickMs, raw, a, b) => {
          const options = { ...layout, tickMs, epochMs: EPOCH };
          const sql = await install(db, { ...options, node: { machineId: 0 } }, { hasOwnClock: true }).catch(
            (error: Error) => {
              // The last tick of a short timestamp is over.
              expect(error.message).toContain("ERR_ARGUMENT: the time must be");
              return undefined;
            },
          );
          if (!sql) return;
          for (const id of [raw, 0n, 2n ** 63n - 1n]) {
            const rows = await db
              .query(sql.decodeId, [isSqlite ? id : String(id)])
              .catch((error: Error) => error.message);
            let expected: object | undefined;
            try {
              const { timestampMs, datacenterId, machineId, sequence } = decode(id, options);
              expected = {
                timestamp_ms: timestampMs,
                datacenter_id: datacenterId,
                machine_id: machineId,
                sequence,
              };
            } catch {
              expect(isSqlite ? rows : String(rows)).toEqual(
                isSqlite ? [] : expect.stringContaining("ERR_INVALID_ID"),
              );
              continue;
            }
            expect(typeof rows === "string" ? rows : numbersOf(rows[0])).toEqual(expected);
          }
          const [from, to] = a < b ? [a, b] : [b, a];
          const { min, max } = new SnowflakeGenerator({ ...options, machineId: 0 }).range(from, to);
          const params =
            name === "postgres"
              ? [timestampOf(from), timestampOf(to)]
              : [from, to].map((ms) => (isSqlite ? BigInt(ms) : String(ms)));
          const [row] = await db.query(sql.idRange, params);
          const { min_id, max_id } = (
            name === "mysql" ? JSON.parse(String(Object.values(row ?? {})[0]).replace(/-?\d+/g, '"$&"')) : row
          ) as Record<string, unknown>;
          expect([BigInt(String(min_id)), BigInt(String(max_id))]).toEqual([min, max]);
          await db.exec(sql.uninstall);
        },
      ),
      { numRuns: 40 },
    );
  });

  test("a script that is run again keeps the state; another format or node is refused", async () => {
    const sql = await install(db, { ...NODE, functionPrefix: "again_" }, { hasOwnClock: true });
    const before = await sql.next();
    await db.exec(sql.install);
    expect(await sql.next()).toBeGreaterThan(before);
    for (const other of [
      { node: { machineId: 6 } },
      { ...NODE, tickMs: 2 },
      { ...NODE, preset: "x" as const },
    ]) {
      const message = await messageOf(
        install(db, { ...other, functionPrefix: "again_" }, { hasOwnClock: true }),
      );
      expect(message).toContain("ERR_NAMESPACE");
    }
    const after = await sql.next();
    expect(decode(after, "twitter").machineId).toBe(5);
    await db.exec(sql.uninstall);
    expect(await messageOf(sql.next())).not.toBe("no error");
  });

  test("new rows get an ID, and rows that have one keep it", async () => {
    const sql = await install(db, NODE, { hasOwnClock: true });
    await db.exec("CREATE TABLE orders (id BIGINT PRIMARY KEY, note TEXT)");
    await db.exec(sql.columnDefault("orders"));
    await db.exec(
      "INSERT INTO orders (note) VALUES ('a'), ('b'); INSERT INTO orders (id, note) VALUES (7, 'c')",
    );
    const rows = await db.query("SELECT id, note FROM orders ORDER BY id");
    expect(rows.map(({ note }) => note)).toEqual(["c", "a", "b"]);
    expect(new Set(rows.map(({ id }) => String(id))).size).toBe(3);
    for (const { id } of rows.slice(1)) expect(decode(String(id), "twitter").machineId).toBe(5);
  });

  test("a leased node is never that of a process", async () => {
    await setup(db.backend, ["lease"]);
    const layout = { timestampBits: 41, datacenterBits: 0, machineBits: 2, sequenceBits: 20 };
    const options = { backend: db.backend, preset: layout, name: 'it\'s «Ü» "$install$"' };
    const first = await leaseNode(options);
    const sql = await install(
      db,
      { ...layout, name: options.name, functionPrefix: "leased_" },
      { hasOwnClock: true },
    );
    const own = decode(await sql.next(), layout).machineId;
    const others = [await leaseNode(options), await leaseNode(options)];
    expect(
      new Set(
        [own, first, ...others].map((node) => (typeof node === "number" ? node : node.generator.machineId)),
      ).size,
    ).toBe(4);
    await expect(leaseNode(options)).rejects.toMatchObject({ code: "ERR_NO_NODE_AVAILABLE" });
    const held = (await inspect(db.backend, options.name)).held.find(({ machineId }) => machineId === own);
    expect(held).toMatchObject({ holder: "sql", isCurrent: true });
    expect(held?.until.getTime()).toBeGreaterThan(Date.UTC(2080, 0));
    // Run again, it keeps the node. Other functions get none, and neither does another layout.
    await db.exec(sql.install);
    expect(decode(await sql.next(), layout).machineId).toBe(own);
    expect(await messageOf(install(db, { ...layout, name: options.name }))).toContain(
      "ERR_NO_NODE_AVAILABLE",
    );
    expect(await messageOf(install(db, { preset: "twitter", name: options.name }))).toContain(
      "ERR_NAMESPACE",
    );
    // Removed, the node is free again, after the last tick that it stamped.
    const last = await sql.next();
    await db.exec(sql.uninstall);
    const next = await leaseNode({ ...options, waitMs: 60_000 });
    expect(next.generator.machineId).toBe(own);
    expect(next.generator.nextId()).toBeGreaterThan(last);
    for (const lease of [first, ...others, next]) await lease.release();
  });

  test("a node whose lease has not ended is not taken, and its ticks are not stamped", async () => {
    await setup(db.backend, ["lease"]);
    const layout = { timestampBits: 41, datacenterBits: 0, machineBits: 1, sequenceBits: 21 };
    const options = { backend: db.backend, preset: layout, name: "ends", ttlMs: 60_000 };
    const lease = await leaseNode(options);
    const taken = lease.generator.nextId();
    const sql = await install(db, { ...layout, name: "ends" }, { hasOwnClock: true });
    const second = decode(await sql.next(), layout).machineId;
    expect(second).not.toBe(lease.generator.machineId);
    await lease.release();
    const other = await install(db, { ...layout, name: "ends" }, { hasOwnClock: true });
    const id = await other.next();
    expect(decode(id, layout).machineId).toBe(lease.generator.machineId);
    expect(id).toBeGreaterThan(taken);
  });

  test("no two sets have one node, chosen or leased, and a set goes on after the one before it on the node", async () => {
    await setup(db.backend, ["lease"]);
    // Ticks of an hour, so that all of it is in one tick.
    const layout = {
      timestampBits: 39,
      datacenterBits: 0,
      machineBits: 4,
      sequenceBits: 20,
      tickMs: 3_600_000,
    };
    const make = (options: object) => install(db, { ...layout, ...options }, { hasOwnClock: true });
    const nodeOf = (id: bigint) => decode(id, layout).machineId;
    const chosen = await make({ node: { machineId: 9 }, functionPrefix: "nine_" });
    expect(nodeOf(await chosen.next())).toBe(9);
    const leased = await make({ name: "one", functionPrefix: "one_" });
    const node = nodeOf(await leased.next());
    expect(node).not.toBe(9);
    if (name === "postgres") {
      expect(await messageOf(make({ name: "two", functionPrefix: "two_" }))).toContain("ERR_NAMESPACE");
    } else {
      const second = await make({ name: "two", functionPrefix: "two_" });
      expect([9, node]).not.toContain(nodeOf(await second.next()));
    }
    const late = { node: { machineId: node }, functionPrefix: "late_" };
    expect(await messageOf(make(late))).toContain("ERR_NAMESPACE");
    // The other ones of this tick are used up in MySQL and SQLite.
    const last = await leased.next();
    await db.exec(leased.uninstall);
    const again = await make(late);
    const outcome = await again.next().catch((error: Error) => error);
    if (typeof outcome === "bigint") expect(outcome).toBeGreaterThan(last);
    else expect(outcome.message).toContain("ERR_SEQUENCE_EXHAUSTED");
    // Also with another prefix.
    await db.exec(again.uninstall);
    const other = await make({ node: { machineId: node }, functionPrefix: "other_" });
    const next = await other.next().catch((error: Error) => error);
    if (typeof next === "bigint") expect(next).toBeGreaterThan(last);
    else expect(next.message).toContain("ERR_SEQUENCE_EXHAUSTED");
  });

  test("two layouts that split the node in other ways have one node, which is that of one set", async () => {
    await setup(db.backend, ["lease"]);
    // Ticks of an hour, so that all of it is in one tick.
    const make = (options: object, functionPrefix: string) =>
      install(
        db,
        {
          timestampBits: 41,
          sequenceBits: 12,
          tickMs: 3_600_000,
          prefix: "split",
          ...options,
          functionPrefix,
        },
        { hasOwnClock: true },
      );
    const first = { datacenterBits: 5, machineBits: 5, node: { machineId: 21 } };
    const second = { datacenterBits: 0, machineBits: 10, node: { machineId: 21 } };
    const own = await make(first, "split_a_");
    const ids = [await own.next()];
    expect(await messageOf(make(second, "split_b_"))).toContain("ERR_NAMESPACE");
    await db.exec(own.uninstall);
    const other = await make(second, "split_b_");
    // In MySQL and SQLite the other ones of this tick are used up.
    const next = await other.next().catch((error: Error) => error.message);
    if (typeof next === "bigint") ids.push(next);
    else expect(next).toContain("ERR_SEQUENCE_EXHAUSTED");
    expect(await messageOf(make(first, "split_a_"))).toContain("ERR_NAMESPACE");
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("functions of one leased datacenter are not those of another one", async () => {
    await setup(db.backend, ["lease"]);
    const make = (datacenterId: number) =>
      install(
        db,
        { name: "datacenters", node: { datacenterId }, functionPrefix: "datacenters_" },
        { hasOwnClock: true },
      );
    const sql = await make(3);
    await db.exec(sql.install);
    expect(await messageOf(make(4))).toContain("ERR_NAMESPACE");
    expect(decode(await sql.next(), "twitter").datacenterId).toBe(3);
  });

  test("a lease that was given to another holder is refused when the script is run again", async () => {
    await setup(db.backend, ["lease"]);
    const sql = await install(
      db,
      { ...PRESET_TWITTER, name: "stolen", functionPrefix: "stolen_" },
      { hasOwnClock: true },
    );
    await db.exec(
      name === "mysql"
        ? "UPDATE bitflake_cells SET value = REPLACE(value, ' sql', ' other') WHERE k LIKE '%lease:stolen:%'"
        : "UPDATE bitflake_nodes SET owner = 'other' WHERE namespace = 'stolen' AND owner IS NOT NULL",
    );
    expect(await messageOf(db.exec(sql.install))).toContain("ERR_NAMESPACE");
  });

  test.skipIf(isSqlite).each([
    { sequenceBits: 0, count: name === "postgres" ? 150 : 40 },
    { sequenceBits: 4, count: name === "postgres" ? 2000 : 60 },
  ])("8 sessions make no ID twice, with $sequenceBits bits of sequence", async ({ sequenceBits, count }) => {
    const layout = { timestampBits: 41, datacenterBits: 0, machineBits: 22 - sequenceBits, sequenceBits };
    const sql = await install(db, { ...NODE, ...layout }, { hasOwnClock: true });
    const made = await Promise.all(Array.from({ length: 8 }, (_, session) => sql.many(count, session)));
    for (const ids of made) expect(ids.every((id, i) => i === 0 || id > (ids[i - 1] as bigint))).toBe(true);
    expect(new Set(made.flat()).size).toBe(8 * count);
  });

  test.skipIf(isSqlite)("a ROLLBACK takes no ID back", async () => {
    // Without a guard, all of these would be the first ID of one tick.
    const layout = { timestampBits: 41, datacenterBits: 0, machineBits: 18, sequenceBits: 4, tickMs: 100 };
    const sql = await install(db, { ...NODE, ...layout }, { hasOwnClock: true });
    const begin = name === "postgres" ? "BEGIN" : "START TRANSACTION";
    const seen: bigint[] = [];
    for (let i = 0; i < 8; i++) {
      await db.query(begin);
      seen.push(await sql.next());
      await db.query(i % 4 === 3 ? "COMMIT" : "ROLLBACK");
    }
    expect(new Set(seen).size).toBe(8);
  });
});

/** Returns a row, or the row in the JSON of its only column, with numbers. */
function numbersOf(row: Record<string, unknown> = {}): Record<string, number> {
  const [value] = Object.values(row);
  const fields = typeof value === "string" && value.startsWith("{") ? (JSON.parse(value) as object) : row;
  const { generated_at, ...rest } = fields as Record<string, unknown>;
  if (generated_at instanceof Date) expect(generated_at.getTime()).toBe(Number(rest["timestamp_ms"]));
  return Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, Number(value)]));
}

/** Returns a moment as PostgreSQL reads it. */
function timestampOf(ms: number): string {
  return new Date(ms).toISOString().replace(/^\+0*(\d+)-/, "$1-");
}
