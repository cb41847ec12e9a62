// The state, views and triggers in SQLite, which has no stored functions.
//
// The state is a row: SQLite has one writer at a time, so a lock until the end of the transaction costs nothing more. A ROLLBACK
// takes the row back. 'now' does not change within a statement, so a statement that fills a tick goes on in the next one, up to a
// second ahead of the clock. The row therefore has the highest reading beside the tick, as the ledger of a generator does.
//
// A table remembers each chosen node: which functions have it and, when they have been removed, how far they have stamped.
//
// A script that is refused must neither end the transaction of its caller nor leave one open. So its rules are checked before the
// savepoint, and again in it, because another process may write in between.

import { quoteName, textLiteral } from "./literal.ts";
import { lastTickOf, type SqlSettings } from "./options.ts";
import type { SqlFunctions } from "./texts.ts";

/** How far the ticks of a statement may be ahead of the clock. */
const MAX_BORROW_MS = 1000;

/** Rows of nodes that are inserted at once, as leases do. */
const ROWS = 1024;

export function sqliteFunctions(settings: SqlSettings): SqlFunctions {
  const { format, shape, node, count, name, maxBackwardMs, prefix, functionPrefix } = settings;
  const { machineBits, sequenceBits, timestampShift } = settings;
  const { epochMs, tickMs, maxTick } = format;
  const lastTick = lastTickOf(format);
  const maxSequence = 2 ** sequenceBits - 1;
  const named = (name: string) => `"${functionPrefix}${name}"`;
  // In a trigger the table of a change has no schema. Elsewhere it has, because an attached database may have the same names.
  const stateName = `"${prefix}_sql_${functionPrefix}state"`;
  const [state, check, chosen] = [`main.${stateName}`, `"${prefix}_sql_check"`, `main."${prefix}_sql"`];
  const [clock, next, rule] = [named("id_clock"), named("id_next"), named("id_rule")];
  const [namespaces, nodes] = [`main."${prefix}_namespaces"`, `main."${prefix}_nodes"`];
  const namespace = name === undefined ? "NULL" : textLiteral(name, "sqlite");
  const id = `(tick << ${timestampShift}) | (node << ${sequenceBits}) | sequence`;
  const step = `UPDATE ${stateName} SET (reading, tick, sequence) = (SELECT reading, tick, sequence FROM ${next})`;
  const now = "SELECT CAST(ROUND((JULIANDAY('now') - 2440587.5) * 86400000) AS INTEGER) AS ms";
  const nowTick = `(SELECT (ms - (${epochMs})) / ${tickMs} FROM (${now}))`;
  const isNew = `NOT EXISTS (SELECT 1 FROM ${state})`;
  const isOwn = `shape = '${shape}' AND name IS ${namespace} AND node BETWEEN ${node} AND ${node + count - 1}`;
  const space = `namespace = ${namespace} AND space = ${node}`;
  const own = `functions = '${functionPrefix}'`;
  const raise = (message: string, condition: string) =>
    `  SELECT RAISE(ABORT, '${message}') FROM ${clock} WHERE ${condition};\n`;

  // A rule is a column that takes only 0, so that the error of another number names the rule.
  const rules = Object.entries({
    clock: "ERR_ARGUMENT: the time must be within the ticks of the layout",
    names: "ERR_ARGUMENT: the database must have nothing else with the names of the functions",
    triggers: "ERR_ARGUMENT: the triggers of columns must be dropped before the functions",
    elsewhere:
      "ERR_ARGUMENT: the table must be one of this database, or a TEMP table, and there must not be both",
    renamed: "ERR_ARGUMENT: the trigger of this column is that of another table, so drop it",
    state: `ERR_NAMESPACE: the state is not for ${shape}, this node and this name`,
    chosen: "ERR_NAMESPACE: other functions have this node",
    namespace: `ERR_NAMESPACE: the namespace is not for ${shape}`,
    owned: "ERR_NAMESPACE: the node is no longer that of this state",
    fence: "ERR_LEASE_FENCE: the store may have lost leases, so wait until they have ended",
    nodes: "ERR_NO_NODE_AVAILABLE: all nodes of the namespace are taken",
  }).map(([column, message]) => `,\n  ${column} INTEGER CONSTRAINT "${message}" CHECK (${column} = 0)`);
  const begin = `DROP TABLE IF EXISTS temp.${check};
CREATE TEMP TABLE ${check} (owner TEXT${rules.join("")});
`;
  // With TEMP tables and their triggers, which only this connection has.
  const ofType = (type: "table" | "trigger") =>
    `(SELECT * FROM main.sqlite_schema UNION ALL SELECT * FROM sqlite_temp_schema) WHERE type = '${type}'`;
  const assert = (column: string, query: string) => `INSERT INTO ${check} (${column}) SELECT ${query};\n`;
  const guard = (asserts: string, change: string) =>
    `${asserts}SAVEPOINT bitflake_sql;\n${asserts}${change}RELEASE bitflake_sql;\nDROP TABLE temp.${check};\n`;

  const largest = `COALESCE((SELECT MAX(node) FROM ${nodes} WHERE ${space}), ${node - 1})`;
  // The last one of the rows that a claim inserts. If other functions have all of them, none is free.
  const last = `MIN(${largest} + ${ROWS}, ${node + count - 1})`;
  // The nodes that other functions of this database have are not free, also those of other namespaces.
  const freeNodes = `FROM ${nodes} WHERE ${space} AND until <= ${nowTick} AND node NOT IN (SELECT node FROM ${chosen} WHERE functions IS NOT NULL)`;
  const isFree = `EXISTS (SELECT 1 ${freeNodes})`;
  const asserts = [
    assert("clock", `ms < ${epochMs} OR ${nowTick} > ${lastTick} FROM (${now})`),
    assert("state", `COUNT(*) FROM ${state} WHERE NOT (${isOwn})`),
    assert(
      "names",
      `COUNT(*) FROM main.sqlite_schema WHERE ${isNew} AND ('"' || name || '"') COLLATE NOCASE IN ('${clock}', '${next}', '${rule}')`,
    ),
    ...(name === undefined
      ? [
          assert(
            "chosen",
            `COUNT(*) FROM ${chosen} WHERE node = ${node} AND functions <> '${functionPrefix}'`,
          ),
        ]
      : [
          assert(
            "namespace",
            `COUNT(*) FROM ${namespaces} WHERE namespace = ${namespace} AND shape <> '${shape}'`,
          ),
          assert(
            "fence",
            `COUNT(*) FROM ${namespaces} WHERE namespace = ${namespace} AND fence > ${nowTick} AND ${isNew}`,
          ),
          assert(
            "nodes",
            `${isNew} AND NOT ${isFree} AND (
  SELECT COUNT(*) FROM ${chosen} WHERE functions IS NOT NULL AND node > ${largest} AND node <= ${last}
) >= ${last} - ${largest}`,
          ),
          assert(
            "owned",
            `COUNT(*) FROM ${state} AS state WHERE NOT EXISTS (
  SELECT 1 FROM ${nodes} AS nodes WHERE nodes.namespace = ${namespace} AND nodes.node = state.node AND nodes.owner = state.owner
)`,
          ),
        ]),
  ];
  // Each rule that is kept has left a row, twice. A client that goes on after an error must not take or release a node.
  const isKept = (rules: number) => `(SELECT COUNT(*) FROM ${check} WHERE owner IS NULL) >= ${2 * rules}`;
  const mayTake = `${isNew} AND ${isKept(asserts.length)}`;

  // Functions that had the node may have stamped ticks ahead of the clock, or read a clock that was set back since.
  const choose = `INSERT INTO ${state} SELECT 1, '${shape}', NULL, ${node}, NULL,
  COALESCE(reading, -9007199254740991), MAX(-1, COALESCE((until - 1 - (${epochMs})) / ${tickMs}, -1)), ${maxSequence}
FROM (SELECT MAX(reading) AS reading, MAX(until) AS until FROM ${chosen} WHERE node = ${node}) WHERE ${mayTake};
`;
  // Also the node of a lease, so that no other functions of this database get it.
  const note = `INSERT INTO ${chosen} (node, functions) SELECT node, '${functionPrefix}' FROM ${state} WHERE ${isOwn}
ON CONFLICT (node) DO UPDATE SET ${own} WHERE functions IS NULL;
`;
  const claim = `INSERT INTO ${namespaces} (namespace, shape) SELECT ${namespace}, '${shape}' WHERE ${mayTake} ON CONFLICT DO NOTHING;
WITH RECURSIVE largest (node) AS (SELECT ${largest}),
fresh (node, last) AS (
  SELECT node + 1, ${last} FROM largest UNION ALL SELECT node + 1, last FROM fresh WHERE node < last
)
INSERT INTO ${nodes} (namespace, space, node, owner, since, until)
SELECT ${namespace}, ${node}, node, NULL, -1, -1 FROM fresh
WHERE node <= last AND ${mayTake} AND NOT ${isFree} ON CONFLICT DO NOTHING;
INSERT INTO ${check} (owner) SELECT LOWER(HEX(RANDOMBLOB(16))) || ' sql';
UPDATE ${nodes} SET owner = (SELECT owner FROM ${check} WHERE owner <> ''), since = MAX(until, ${nowTick}), until = ${lastTick + 1}, generation = 0, nonce = ''
WHERE ${mayTake} AND namespace = ${namespace} AND node = (
  SELECT node ${freeNodes} ORDER BY until, node LIMIT 1
);
INSERT INTO ${state} SELECT 1, '${shape}', ${namespace}, nodes.node, owner,
  COALESCE(reading, -9007199254740991), MAX(since - 1, COALESCE((chosen.until - 1 - (${epochMs})) / ${tickMs}, -1)), ${maxSequence}
FROM ${nodes} AS nodes LEFT JOIN ${chosen} AS chosen ON chosen.node = nodes.node WHERE ${mayTake} AND namespace = ${namespace} AND owner = (SELECT owner FROM ${check} WHERE owner <> '');
${assert("nodes", isNew)}`;

  const install = `${begin}CREATE TABLE IF NOT EXISTS ${state} (
  one INTEGER PRIMARY KEY CHECK (one = 1), shape TEXT NOT NULL, name TEXT, node INTEGER NOT NULL, owner TEXT,
  reading INTEGER NOT NULL, tick INTEGER NOT NULL, sequence INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS ${chosen} (node INTEGER PRIMARY KEY, functions TEXT, reading INTEGER, until INTEGER);
${guard(
  asserts.join(""),
  `${name === undefined ? choose : claim}${note}DROP VIEW IF EXISTS main.${clock};
CREATE VIEW main.${clock} AS ${now};
DROP VIEW IF EXISTS main.${next};
CREATE VIEW main.${next} AS SELECT
  MAX(reading, ms) AS reading,
  CASE WHEN now_tick > tick THEN now_tick WHEN sequence < ${maxSequence} THEN tick ELSE tick + 1 END AS tick,
  CASE WHEN now_tick > tick OR sequence = ${maxSequence} THEN 0 ELSE sequence + 1 END AS sequence
FROM ${stateName}, (SELECT ms, (ms - (${epochMs})) / ${tickMs} AS now_tick FROM ${clock}) WHERE ${isOwn};
DROP TRIGGER IF EXISTS main.${rule};
CREATE TRIGGER main.${rule} BEFORE UPDATE OF sequence ON ${stateName} BEGIN
${raise(
  "ERR_NAMESPACE: the functions are not those of the state, so run their install script",
  "NEW.sequence IS NULL",
)}${raise(`ERR_EPOCH: the clock reads a time before the epoch ${epochMs}`, `ms < ${epochMs}`)}${raise(
  `ERR_CLOCK_BACKWARDS: the clock stepped back by more than maxBackwardMs, which is ${maxBackwardMs}`,
  `OLD.reading - ms > ${maxBackwardMs}`,
)}${raise(`ERR_TIMESTAMP_OVERFLOW: the last tick is ${lastTick}`, `NEW.tick > ${lastTick}`)}${raise(
  `ERR_SEQUENCE_EXHAUSTED: the ticks up to ${MAX_BORROW_MS} ms ahead of the clock are full`,
  `NEW.tick > OLD.tick AND ${epochMs} + NEW.tick * ${tickMs} - ms > ${MAX_BORROW_MS}`,
)}END;
`,
)}`;

  const mayRelease = isKept(2);
  const release = `UPDATE ${chosen} SET functions = NULL, (reading, until) = (SELECT reading, ${epochMs} + (tick + 1) * ${tickMs} FROM ${state}) WHERE ${own} AND ${mayRelease};
${
  name === undefined
    ? ""
    : `UPDATE ${nodes} SET owner = NULL, until = MAX(since, (SELECT tick + 1 FROM ${state}))
WHERE namespace = ${namespace} AND node = (SELECT node FROM ${state}) AND owner = (SELECT owner FROM ${state}) AND ${mayRelease};
`
}`;
  // The table of the state stays, because a DROP has no condition. Its trigger goes: without the views, it would be an error in
  // each ALTER TABLE.
  const uninstall = `${begin}${guard(
    assert("state", `NOT EXISTS (SELECT 1 FROM ${state} WHERE ${isOwn})`) +
      assert("triggers", `COUNT(*) FROM ${ofType("trigger")} AND INSTR(sql, '${step}') > 0`),
    `${release}DELETE FROM ${state} WHERE ${mayRelease};
DROP TRIGGER IF EXISTS main.${rule};
DROP VIEW IF EXISTS main.${next};
DROP VIEW IF EXISTS main.${clock};
`,
  )}`;

  const field = (shift: number, bits: number) => `((id >> ${shift}) & ${2n ** BigInt(bits) - 1n})`;
  const timestamp = `(${epochMs} + (id >> ${timestampShift}) * ${tickMs})`;
  // The first ID of a tick past the last one would be too large for an integer.
  const first = (ms: string) =>
    `CASE WHEN ${ms} > ${epochMs + maxTick * tickMs} THEN ${2n ** BigInt(timestampShift) * BigInt(maxTick + 1) - 1n}
  WHEN ${ms} <= ${epochMs} THEN 0 ELSE (((${ms}) - (${epochMs}) - 1) / ${tickMs} + 1 << ${timestampShift}) END`;
  // A parameter is no integer if SQLite must change it: a text of other characters, or a number that is too large.
  const isInteger = (parameter: string) =>
    `CAST(${parameter} AS INTEGER) = ${parameter} AND (TYPEOF(${parameter}) <> 'real' OR ABS(${parameter}) < 9007199254740992)`;
  return {
    install,
    uninstall,
    nextId: `${step} RETURNING ${id} AS id`,
    decodeId: `SELECT ${timestamp} AS timestamp_ms, ${field(machineBits + sequenceBits, format.layout.datacenterBits)} AS datacenter_id,
  ${field(sequenceBits, machineBits)} AS machine_id, ${field(0, sequenceBits)} AS sequence
FROM (SELECT CAST(?1 AS INTEGER) AS id) WHERE ${isInteger("?1")} AND id >= 0 AND id >> ${timestampShift} <= ${maxTick}`,
    idRange: `SELECT min AS min_id, CASE WHEN to_ms > ${epochMs + maxTick * tickMs} AND from_ms <= ${epochMs + maxTick * tickMs} THEN max ELSE max - 1 END AS max_id
FROM (SELECT from_ms, to_ms, ${first("from_ms")} AS min, ${first("to_ms")} AS max
  FROM (SELECT CAST(?1 AS INTEGER) AS from_ms, CAST(?2 AS INTEGER) AS to_ms)) WHERE ${isInteger("?1")} AND ${isInteger("?2")} AND from_ms <= to_ms`,
    columnDefault(table, column = "id") {
      const [quotedTable, quotedColumn] = [quoteName("table", table, '"'), quoteName("column", column, '"')];
      // In the encoded names is no ":", so no two columns share the name of a trigger.
      const triggerName = `${prefix}_sql:${encodeURIComponent(table)}:${encodeURIComponent(column)}`;
      const trigger = `"${triggerName}"`;
      const made = `(SELECT ${id} FROM ${stateName})`;
      const isTable = `COLLATE NOCASE = ${textLiteral(table, "sqlite")}`;
      // A table keeps its triggers and their names when it is renamed. Without the first rule, it would lose this one without an
      // error. The last check reads the row, because a trigger of the UPDATE can make IDs of other tables.
      // INSERT OR IGNORE and INSERT OR REPLACE also apply to UPDATE in the trigger: it would do nothing, or delete another row.
      return `SELECT ${quotedTable}.${quotedColumn}, ${quotedTable}._rowid_ FROM ${quotedTable} LIMIT 0;
${begin}${assert("elsewhere", `COUNT(*) <> 1 FROM ${ofType("table")} AND name ${isTable}`)}${assert("renamed", `COUNT(*) FROM ${ofType("trigger")} AND name = ${textLiteral(triggerName, "sqlite")} COLLATE NOCASE AND NOT tbl_name ${isTable}`)}DROP TABLE temp.${check};
SAVEPOINT bitflake_sql;
DROP TRIGGER IF EXISTS main.${trigger};
DROP TRIGGER IF EXISTS temp.${trigger};
CREATE TRIGGER ${trigger} AFTER INSERT ON ${quotedTable} WHEN NEW.${quotedColumn} IS NULL BEGIN
  ${step};
  SELECT RAISE(ABORT, 'ERR_INVALID_ID: another row has the ID already') WHERE EXISTS (SELECT 1 FROM ${quotedTable} WHERE ${quotedColumn} = ${made});
  UPDATE ${quotedTable} SET ${quotedColumn} = ${made} WHERE _rowid_ = NEW._rowid_ AND ${quotedColumn} IS NULL;
  SELECT RAISE(ABORT, 'ERR_INVALID_ID: the row could not take the ID') WHERE (SELECT COUNT(${quotedColumn}) FROM ${quotedTable} WHERE _rowid_ = NEW._rowid_) <> 1;
END;
RELEASE bitflake_sql;
`;
    },
  };
}
