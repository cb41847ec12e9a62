// The functions in PL/pgSQL.
//
// The state is a sequence, because a sequence takes no lock until the end of a transaction, and no ROLLBACK takes a value back.
// Its value is a word: the tick in the high bits, a counter in the low ones. A counter above the layout's last sequence number
// is a full tick, and makes no ID.
//
// Within a tick, sessions call nextval() without a lock. To a later tick, one session moves the sequence by setval(), under an
// advisory lock. setval() could repeat a word only if nextval() had reached the later tick since that session read the
// sequence. It cannot: a session calls nextval() only after it has read a counter that is not above the last sequence number, so once
// the counter is above it, each session calls nextval() once more at most. A server has at most 262,143 sessions, a crash skips at most 32 values, and the
// counter has room for more: 2^20, or twice the sequence numbers.
//
// The lock belongs to a subtransaction that is always aborted. So the server releases it before the function returns, and
// also when the statement is cancelled or the connection ends.

import { quoteName, textLiteral } from "./literal.ts";
import { lastTickOf, type SqlSettings } from "./options.ts";
import type { SqlFunctions } from "./texts.ts";

/** Rows of nodes that are inserted at once, as leases do. */
const ROWS = 1024;

/** The first key of the advisory locks: "flk" and a zero. */
const LOCK = 1_718_381_312;

/** Returns SQL that throws an error. `message` has a `%` for each argument. */
function raise(state: string, message: string, ...args: string[]): string {
  return `RAISE EXCEPTION ${[`'${message}'`, ...args].join(", ")} USING ERRCODE = '${state}'`;
}

export function postgresFunctions(settings: SqlSettings): SqlFunctions {
  const { format, shape, node, count, name, maxBackwardMs, schema, prefix, functionPrefix } = settings;
  const { machineBits, sequenceBits, timestampShift } = settings;
  const { epochMs, tickMs, maxTick } = format;
  const counterBits = Math.max(sequenceBits + 1, 20);
  const lastTick = Math.min(lastTickOf(format), 2 ** (63 - counterBits) - 1);
  const [counterMask, maxSequence] = [2n ** BigInt(counterBits) - 1n, 2 ** sequenceBits - 1];
  const path = (name: string) => `"${schema}"."${name}"`;
  const call = (name: string) => path(functionPrefix + name);
  const [sequence, table] = [path(`${prefix}_sql_${functionPrefix}state`), path(`${prefix}_sql`)];
  const [namespaces, nodes] = [path(`${prefix}_namespaces`), path(`${prefix}_nodes`)];
  const [clockMs, nextTick, nextId] = [call("id_clock_ms"), call("id_next_tick"), call("next_id")];
  const own = `functions = '${functionPrefix}'`;
  const namespace = name === undefined ? "NULL" : textLiteral(name);
  const isOwner = `namespace = held.name AND node = held.node AND owner = held.owner`;
  // The operators are qualified, because a function that has its owner's rights and no search_path of its own would take those
  // of the caller. A search_path of its own takes as long as the rest of the function.
  const op = (operator: string) => `OPERATOR(pg_catalog.${operator})`;
  const word = (field: string) =>
    `((${field} >> ${counterBits}) << ${timestampShift}) | :node: | (${field} & ${maxSequence})`;

  const clockText = `floor(date_part('epoch', clock_timestamp()) * 1000)::bigint`;
  const clock = `${clockMs}() RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE
AS 'SELECT pg_catalog.floor(pg_catalog.date_part(''epoch'', pg_catalog.clock_timestamp()) ${op("*")} 1000)::bigint'`;

  const fast = `${nextId}() RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER AS $body$
DECLARE
  word bigint;
BEGIN
  IF ((pg_catalog.pg_sequence_last_value('${sequence}') ${op("-")}
      ((${clockMs}() ${op("-")} (${epochMs})) ${op("/")} ${tickMs} ${op("<<")} ${counterBits})) ${op(">>")} ${sequenceBits}) ${op("=")} 0 THEN
    word := pg_catalog.nextval('${sequence}');
    IF (word ${op("&")} ${counterMask}) ${op("<=")} ${maxSequence} THEN
      RETURN (word ${op(">>")} ${counterBits} ${op("<<")} ${timestampShift}) ${op("|")} :node: ${op("|")} (word ${op("&")} ${maxSequence});
    END IF;
  END IF;
  RETURN ${nextTick}();
END
$body$`;

  const slow = `${nextTick}() RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
  now_ms bigint;
  first_ms bigint;
  tick bigint;
  last_tick bigint;
  word bigint;
  wait_ms bigint;
  slept_ms bigint := 0;
  tries integer := 0;
  moved boolean := false;
BEGIN
  LOOP
    -- Before the clock is read: another session may set a later tick meanwhile, which would look like a clock that stepped back.
    SELECT CASE WHEN is_called THEN last_value END INTO STRICT word FROM ${sequence};
    IF word IS NULL THEN
      ${raise("IDNSP", "ERR_NAMESPACE: the sequence has no state, as in a copy of the schema; run the uninstall script, then install with a node of its own")};
    END IF;
    now_ms := ${clockMs}();
    first_ms := COALESCE(first_ms, now_ms);
    IF now_ms < ${epochMs} THEN
      ${raise("IDEPO", `ERR_EPOCH: the clock reads %, before the epoch ${epochMs}`, "now_ms")};
    END IF;
    tick := (now_ms - (${epochMs})) / ${tickMs};
    last_tick := word >> ${counterBits};
    tries := tries + 1;
    IF tick > last_tick THEN
      IF tick > ${lastTick} THEN
        ${raise("IDOVF", `ERR_TIMESTAMP_OVERFLOW: at % the next ID needs tick %, but the last tick is ${lastTick}`, "now_ms", "tick")};
      END IF;
      BEGIN
        IF pg_try_advisory_xact_lock(${LOCK}, '${sequence}'::regclass::oid::integer) THEN
          SELECT last_value INTO STRICT word FROM ${sequence};
          IF word < tick << ${counterBits} THEN
            PERFORM setval('${sequence}', tick << ${counterBits}, true);
            moved := true;
          END IF;
          RAISE SQLSTATE 'IDREL';
        END IF;
      EXCEPTION WHEN SQLSTATE 'IDREL' THEN
        NULL;
      END;
      IF moved THEN
        RETURN (tick << ${timestampShift}) | :node:;
      END IF;
      wait_ms := 1;
      CONTINUE WHEN tries % 16 > 0;
    ELSE
      IF ${epochMs} + last_tick * ${tickMs} - now_ms > ${maxBackwardMs} THEN
        ${raise(
          "IDCLK",
          `ERR_CLOCK_BACKWARDS: the clock stepped back % ms, from % to %; maxBackwardMs is ${maxBackwardMs}`,
          `${epochMs} + last_tick * ${tickMs} - now_ms`,
          `${epochMs} + last_tick * ${tickMs}`,
          "now_ms",
        )};
      END IF;
      IF (word & ${counterMask}) < ${maxSequence} THEN
        word := nextval('${sequence}');
        IF (word & ${counterMask}) <= ${maxSequence} THEN
          RETURN ${word("word")};
        END IF;
        CONTINUE;
      END IF;
      wait_ms := ${epochMs} + (last_tick + 1) * ${tickMs} - now_ms;
    END IF;
    IF slept_ms + wait_ms > 2000 THEN
      IF slept_ms > 0 AND now_ms = first_ms THEN
        ${raise("IDSTL", "ERR_CLOCK_STALLED: the clock stands still at %, after % reads", "now_ms", "tries")};
      END IF;
      IF tick > last_tick THEN
        ${raise("IDBAK", `ERR_BACKEND: another session holds the advisory lock (${LOCK}, %), after % tries`, `'${sequence}'::regclass::oid::integer`, "tries")};
      END IF;
      ${raise("IDFUL", "ERR_SEQUENCE_EXHAUSTED: tick % is full, and the next one can be used in % ms", "last_tick", "wait_ms")};
    END IF;
    wait_ms := LEAST(wait_ms + slept_ms / 10, 100);
    PERFORM pg_sleep(wait_ms / 1000.0);
    slept_ms := slept_ms + wait_ms;
  END LOOP;
END
$body$`;

  const decode = `${call("decode_id")}(id bigint, OUT generated_at timestamptz, OUT timestamp_ms bigint,
  OUT datacenter_id bigint, OUT machine_id bigint, OUT sequence bigint)
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
  IF id < 0 OR id >> ${timestampShift} > ${maxTick} THEN
    ${raise("IDINV", "ERR_INVALID_ID: id must be of this layout, got %", "id")};
  END IF;
  timestamp_ms := ${epochMs} + (id >> ${timestampShift}) * ${tickMs};
  generated_at := (timestamp '1970-01-01' + timestamp_ms / 86400000 * interval '1 day'
    + timestamp_ms % 86400000 * interval '1 millisecond') AT TIME ZONE 'UTC';
  datacenter_id := (id >> ${machineBits + sequenceBits}) & ${2 ** format.layout.datacenterBits - 1};
  machine_id := (id >> ${sequenceBits}) & ${2 ** machineBits - 1};
  sequence := id & ${maxSequence};
END
$body$`;

  // Before PostgreSQL 14, extract() returns a double, which is exact for whole seconds and for the part of a second alone.
  const exactMs = (time: string) =>
    `extract(epoch FROM date_trunc('second', ${time}))::numeric * 1000 + COALESCE(extract(microseconds FROM ${time})::integer % 1000000 / 1000.0, 0)`;
  const first = (ms: string) =>
    `GREATEST(LEAST(div(ceil(${ms}) + ${tickMs - 1} - (${epochMs}), ${tickMs}), ${maxTick + 1}), 0) * ${2n ** BigInt(timestampShift)} - past`;
  const range = `${call("id_range")}(from_time timestamptz, to_time timestamptz, OUT min_id bigint, OUT max_id bigint)
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
  from_ms numeric := ${exactMs("from_time")};
  to_ms numeric := ${exactMs("to_time")};
  past integer := (from_ms > ${epochMs + maxTick * tickMs})::integer;
BEGIN
  IF from_time > to_time THEN
    ${raise("IDARG", "ERR_ARGUMENT: to_time must be at least %, got %", "from_time", "to_time")};
  END IF;
  min_id := ${first("from_ms")};
  max_id := ${first("to_ms")} - 1;
END
$body$`;

  const nowTick = `floor((${clockText} - (${epochMs}))::numeric / ${tickMs})`;
  // A DO block has no search_path of its own. Its first statement sets one, and everything before names its schema, because
  // operators and types of another role would run with the rights of the role that runs the script.
  const begin = `  old_path pg_catalog.text := pg_catalog.current_setting('search_path');
BEGIN
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  PERFORM pg_advisory_xact_lock(${LOCK}, 0);
  -- Otherwise the script would not see what another one has committed while this one has waited for the lock.
  IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
    ${raise("IDARG", "ERR_ARGUMENT: the script must run at READ COMMITTED, got %", "upper(current_setting('transaction_isolation'))")};
  END IF;`;
  const end = `  PERFORM set_config('search_path', old_path, true);
END`;
  // The code of a table's owner, in a trigger or a default, would run with these rights too. Membership is no trust: a role can grant
  // itself to others. The lock keeps the table and its triggers as they are checked.
  const tables = name === undefined ? [table] : [table, namespaces, nodes];
  const checkTables = `  LOCK TABLE ${tables.join(", ")} IN ROW EXCLUSIVE MODE;
  FOR checked IN SELECT * FROM pg_class AS relation WHERE oid IN (${tables.map((name) => `'${name}'::regclass`).join(", ")}) LOOP
    IF checked.relkind <> 'r'
      OR NOT EXISTS (SELECT FROM pg_roles AS role WHERE role.oid = checked.relowner AND (role.rolname = CURRENT_USER OR role.rolsuper))
      OR EXISTS (SELECT FROM pg_trigger WHERE tgrelid = checked.oid AND NOT tgisinternal)
      OR EXISTS (SELECT FROM pg_rewrite WHERE ev_class = checked.oid) THEN
      ${raise("IDNSP", 'ERR_NAMESPACE: "%" must be a table of the role that runs the script or of a superuser, without triggers and rules; its owner is %', "checked.relname", "pg_get_userbyid(checked.relowner)")};
    END IF;
  END LOOP;`;
  const isOther = `(held.shape, held.name) IS DISTINCT FROM ('${shape}', ${namespace}) OR held.node NOT BETWEEN ${node} AND ${node + count - 1}`;
  const raiseOther = raise(
    "IDNSP",
    `ERR_NAMESPACE: the functions are for %, node %, name %, and not for ${shape}, node ${name === undefined ? node : "of a lease"}, name %`,
    ...["held.shape", "held.node", "held.name", namespace],
  );
  // The node is one number in an ID, however its bits are split, so the other widths do not matter. The shape of a lease has the
  // leased fields after the tick.
  const isSameFormat = `shape || ' ' LIKE '%.${sequenceBits} epoch ${epochMs} tick ${tickMs} %'`;

  const take = `
    SELECT * INTO space FROM ${namespaces} WHERE namespace = held.name FOR UPDATE;
    IF space.shape <> held.shape THEN
      ${raise("IDNSP", "ERR_NAMESPACE: the namespace is for %, and not for %", "space.shape", "held.shape")};
    END IF;
    IF space.history NOT IN ('', history) OR space.fence > now_tick THEN
      ${raise("IDFEN", "ERR_LEASE_FENCE: the store may have lost leases; try again when leaseNode() of this name has got a lease")};
    END IF;
    LOOP
      SELECT nodes.node, GREATEST(nodes.until, now_tick) AS since INTO chosen FROM ${nodes} AS nodes
      WHERE nodes.namespace = held.name AND nodes.space = ${node} AND nodes.until <= now_tick
      ORDER BY nodes.until, nodes.node LIMIT 1 FOR UPDATE;
      EXIT WHEN FOUND;
      SELECT COALESCE(MAX(nodes.node), ${node - 1}) INTO largest FROM ${nodes} AS nodes
      WHERE nodes.namespace = held.name AND nodes.space = ${node};
      IF largest >= ${node + count - 1} THEN
        ${raise("IDNOD", "ERR_NO_NODE_AVAILABLE: all nodes of the namespace are taken")};
      END IF;
      INSERT INTO ${nodes} (namespace, space, node, owner, since, until)
      SELECT held.name, ${node}, fresh, NULL, -1, -1 FROM generate_series(largest + 1, LEAST(largest + ${ROWS}, ${node + count - 1})) AS fresh
      ON CONFLICT DO NOTHING;
    END LOOP;
    held.node := chosen.node;
    held.owner := concat(txid_current(), '-', random(), ' sql');
    UPDATE ${nodes} AS nodes SET owner = held.owner, since = chosen.since, until = ${lastTick + 1}, generation = 0, nonce = ''
    WHERE nodes.namespace = held.name AND nodes.node = held.node;`;

  const install = `DO $install$
DECLARE
  held pg_catalog.record;
  space pg_catalog.record;
  chosen pg_catalog.record;
  twin pg_catalog.record;
  checked pg_catalog.record;
  largest bigint;
  history pg_catalog.text := '';
  now_tick bigint;
  word bigint;
  is_new boolean;
  verb pg_catalog.text := 'CREATE OR REPLACE FUNCTION ';
  shifted_node pg_catalog.text;
${begin}
  now_tick := ${nowTick};
  IF now_tick < 0 OR now_tick > ${lastTick} THEN
    ${raise("IDARG", `ERR_ARGUMENT: the time must be between tick 0 and tick ${lastTick}, got tick %`, "now_tick")};
  END IF;
  -- A row without functions is the state that an uninstall has left for its node.
  CREATE TABLE IF NOT EXISTS ${table} (
    functions text UNIQUE, shape text NOT NULL, name text, node bigint NOT NULL, owner text, state bigint
  );
${checkTables}
  SELECT * INTO held FROM ${table} WHERE ${own};
  is_new := NOT FOUND;
  IF is_new <> (to_regclass('${sequence}') IS NULL) THEN
    ${raise("IDNSP", `ERR_NAMESPACE: there is only one of the sequence and its row in "${prefix}_sql", as in a copy of the schema; run the uninstall script first`)};
  ELSIF is_new THEN
    SELECT '${functionPrefix}' AS functions, '${shape}' AS shape, ${namespace}::text AS name, ${node}::bigint AS node, NULL::text AS owner INTO held;
    CREATE SEQUENCE ${sequence} MINVALUE -1 START -1 NO CYCLE CACHE 1;
    verb := 'CREATE FUNCTION ';${
      name === undefined
        ? ""
        : `
    BEGIN
      SELECT system_identifier || '.' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) INTO history FROM pg_control_system();
    EXCEPTION WHEN undefined_function OR feature_not_supported OR insufficient_privilege THEN
      NULL;
    END;
    INSERT INTO ${namespaces} (namespace, shape) VALUES (held.name, held.shape) ON CONFLICT DO NOTHING;${take}
    word := (chosen.since << ${counterBits}) - 1;`
    }
    -- Of functions that had the node before. Without a row MAX is NULL, which GREATEST ignores.
    SELECT GREATEST(word, MAX(state)) INTO word FROM ${table} WHERE functions IS NULL AND node = held.node AND ${isSameFormat};
    DELETE FROM ${table} WHERE functions IS NULL AND node = held.node AND ${isSameFormat};
    SELECT * INTO twin FROM ${table} WHERE functions IS NOT NULL AND node = held.node AND ${isSameFormat};
    IF FOUND THEN
      ${raise("IDNSP", 'ERR_NAMESPACE: node % is that of the functions with the prefix "%"', "held.node", "twin.functions")};
    END IF;
    PERFORM setval('${sequence}', COALESCE(word, -1), true);
    INSERT INTO ${table} SELECT held.functions, held.shape, held.name, held.node, held.owner;
  ELSIF ${isOther} THEN
    ${raiseOther};${
      name === undefined
        ? ""
        : `
  ELSIF NOT EXISTS (SELECT FROM ${nodes} WHERE ${isOwner}) THEN
    ${raise("IDNSP", "ERR_NAMESPACE: node % of namespace % is no longer that of these functions", "held.node", "held.name")};`
    }
  END IF;
  shifted_node := (held.node << ${sequenceBits})::text;
  EXECUTE verb || $fn$${clock}$fn$;
  EXECUTE verb || replace($fn$${slow}$fn$, ':node:', shifted_node);
  EXECUTE verb || replace($fn$${fast}$fn$, ':node:', shifted_node);
  EXECUTE verb || $fn$${decode}$fn$;
  EXECUTE verb || $fn$${range}$fn$;
${end}
$install$;
`;

  const uninstall = `DO $uninstall$
DECLARE
  held pg_catalog.record;
  checked pg_catalog.record;
  word bigint;
${begin}
${checkTables}
  SELECT * INTO held FROM ${table} WHERE ${own};
  IF FOUND THEN
    IF ${isOther} THEN
      ${raiseOther};
    END IF;
  ELSIF to_regclass('${sequence}') IS NULL THEN
    ${raise("IDNSP", `ERR_NAMESPACE: no functions with the prefix "${functionPrefix}" are installed`)};
  END IF;
  DROP FUNCTION IF EXISTS ${nextId}(), ${nextTick}(), ${clockMs}(), ${call("decode_id")}(bigint), ${call("id_range")}(timestamptz, timestamptz);
  IF to_regclass('${sequence}') IS NULL THEN
    word := ((${nowTick}::bigint + 1) << ${counterBits}) - 1;
  ELSE
    -- It waits for the transactions that have made IDs, and lets no other one make any.
    ALTER SEQUENCE ${sequence} OWNED BY NONE;
    SELECT last_value INTO word FROM ${sequence};
    DROP SEQUENCE ${sequence};
  END IF;${
    name === undefined
      ? ""
      : `
  UPDATE ${nodes} SET owner = NULL, until = GREATEST(since, (word >> ${counterBits}) + 1) WHERE ${isOwner};`
  }
  UPDATE ${table} SET functions = NULL, state = word WHERE ${own};
${end}
$uninstall$;
`;

  return {
    install,
    uninstall,
    nextId: `${nextId}()`,
    decodeId: `SELECT * FROM ${call("decode_id")}($1)`,
    idRange: `SELECT * FROM ${call("id_range")}($1, $2)`,
    columnDefault: (table, column = "id") =>
      `ALTER TABLE "${schema}".${quoteName("table", table, '"')} ALTER COLUMN ${quoteName("column", column, '"')} SET DEFAULT ${nextId}();\n`,
  };
}
