// The functions in MySQL and MariaDB.
//
// The state is a row of InnoDB, because the other engines' tables take no part in transactions that replicate, and SETVAL of
// MariaDB takes only literals. So the row is locked until the end of the transaction, and a ROLLBACK takes it back. The IDs of
// that transaction must not be made again: each call takes a number from an AUTO_INCREMENT column, which no ROLLBACK takes back,
// and keeps it in the row. If the number before one's own is not that of the row, calls were rolled back. They have stamped
// no tick later than the present one, so this call waits for the next tick.
//
// UTC_TIMESTAMP is the start of the statement. SYSDATE is the present, but in the time zone of the session, which may change
// between summer and winter time. So a call that needs the present adds the time since the start of the statement,
// modulo 30 minutes, of which all such changes since 1986 are multiples. The time is negative if the clock has stepped back
// since. It is then added in all calls, because a later ID that is rolled back could be made again.
//
// The scripts are several statements, so they hold a lock by name. A procedure makes the decisions. It cannot be an anonymous
// block, which MySQL does not have. If it refuses, it stays until the script is run again.
//
// Removed functions leave their row, so that functions with the same node begin after them: shape is empty, and tick is
// the first moment of the last tick that can have been stamped, in milliseconds since 1970.

import { cellKey } from "../backend/cells.ts";
import { ArgumentError } from "../internal.ts";
import { quoteName, textLiteral } from "./literal.ts";
import { lastTickOf, type SqlSettings } from "./options.ts";
import type { SqlFunctions } from "./texts.ts";

/** Half an hour, in microseconds. */
const HALF_HOUR_US = 1_800_000_000;

/** The most characters of a name. */
const MAX_NAME = 64;

/** Returns SQL that throws an error with a message. SIGNAL of MySQL takes at most 128 characters. */
function signal(state: string, ...message: string[]): string {
  return `SET problem = LEFT(CONCAT(${message.join(", ")}), 128); SIGNAL SQLSTATE '${state}' SET MESSAGE_TEXT = problem`;
}

export function mysqlFunctions(settings: SqlSettings): SqlFunctions {
  const { format, shape, node, count, name, maxBackwardMs, prefix, functionPrefix } = settings;
  const { machineBits, sequenceBits, timestampShift } = settings;
  const { epochMs, tickMs, maxTick } = format;
  const lastTick = lastTickOf(format);
  const maxSequence = 2 ** sequenceBits - 1;
  const named = (name: string) => `\`${functionPrefix}${name}\``;
  const [states, calls, cells] = ["sql", `sql_${functionPrefix}calls`, "cells"].map(
    (table) => `\`${prefix}_${table}\``,
  );
  const [clockMs, nextId, prepare] = [named("id_clock_ms"), named("next_id"), named("id_install")];
  const own = `functions = '${functionPrefix}'`;
  const namespace = name === undefined ? "NULL" : textLiteral(name, "mysql");
  const key = (part: string) => textLiteral(cellKey({ prefix }, "lease", name ?? "", part), "mysql");
  // Not by FLOOR(a / b): with div_precision_increment = 0 the quotient is rounded.
  const tickOf = (ms: string) => {
    const sinceEpoch = `(${ms} - (${epochMs}))`;
    return tickMs === 1
      ? sinceEpoch
      : `((${sinceEpoch} - IF(${sinceEpoch} < 0, ${tickMs - 1}, 0)) DIV ${tickMs})`;
  };
  const nowTick = tickOf("TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) DIV 1000");
  const names = ["next_id", "id_clock_ms", "decode_id", "id_range"];
  // MariaDB replaces a function at once, and keeps the rights to it. MySQL reads two comments around a DROP,
  // MariaDB a text that contains the DROP.
  const create = (name: string) =>
    `/*M! DO '*/DROP FUNCTION IF EXISTS ${named(name)}/*M!' */;\nCREATE /*M! OR REPLACE */ FUNCTION ${named(name)}`;
  const lock = `CONCAT('bitflake_sql ', MD5(CONCAT(DATABASE(), ' ${prefix}')))`;
  const value = (owner: string, from: string, until: string) =>
    `CONCAT('[', ${owner}, ',', ${from}, ',', ${until}, ',0,""]')`;

  const claim = `
    INSERT IGNORE INTO ${cells} (k, value, version) VALUES (${key("shape")}, '${shape}', 'sql');
    SELECT value INTO held_shape FROM ${cells} WHERE k = ${key("shape")} FOR UPDATE;
    IF held_shape <> '${shape}' THEN
      ${signal("IDNSP", "'ERR_NAMESPACE: the namespace is for '", "held_shape")};
    END IF;
    SET own_owner = CONCAT(UUID(), ' sql');
    claim: LOOP
      IF own_node >= ${node + count} THEN
        ${signal("IDNOD", "'ERR_NO_NODE_AVAILABLE: all nodes of the namespace are taken'")};
      END IF;
      SET since = NULL;
      SELECT GREATEST(now_tick, CAST(JSON_EXTRACT(value, '$[2]') AS SIGNED)) INTO since FROM ${cells}
      WHERE k = CONCAT(${key("")}, own_node) FOR UPDATE;
      IF COALESCE(since, now_tick) = now_tick
        AND NOT EXISTS (SELECT 1 FROM ${states} WHERE functions <> '${functionPrefix}' AND shape <> '' AND node = own_node) THEN
        INSERT INTO ${cells} (k, value, version)
        VALUES (CONCAT(${key("")}, own_node), ${value(`'"', own_owner, '"'`, "now_tick", String(lastTick + 1))}, REPLACE(UUID(), '-', ''))
        ON DUPLICATE KEY UPDATE value = VALUES(value), version = VALUES(version), ends = NULL;
        LEAVE claim;
      END IF;
      SET own_node = own_node + 1;
    END LOOP;`;

  // A script that has failed in this session may have left the lock. The second statement is an error without the lock, because the
  // next ones change tables and procedures that its holder uses.
  const takeLock = `DO RELEASE_LOCK(${lock}), GET_LOCK(${lock}, 60);
SET @bitflake_sql = (SELECT n FROM (SELECT 1 AS n UNION ALL SELECT 2) AS another_session_runs_the_script
  WHERE NOT (IS_USED_LOCK(${lock}) <=> CONNECTION_ID()));
`;
  /**
   * Returns statements that run a procedure on the row of the state, in a transaction. The functions would keep the mode
   * EMPTY_STRING_IS_NULL, in which they find no row. In the mode ORACLE the text of the procedure is a syntax error.
   */
  const procedure = (parameters: string, body: string) => `DROP PROCEDURE IF EXISTS ${prepare};
CREATE PROCEDURE ${prepare}(${parameters}) MODIFIES SQL DATA SQL SECURITY INVOKER
BEGIN
  DECLARE held_shape, problem VARCHAR(255);
  DECLARE held_name, found VARCHAR(400) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE own_owner, held_owner VARCHAR(64);
  DECLARE held_node, held_tick, since, now_tick BIGINT;
  DECLARE own_node BIGINT DEFAULT ${node};
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; DO RELEASE_LOCK(${lock}); RESIGNAL; END;
  IF @@sql_mode LIKE '%EMPTY_STRING_IS_NULL%' THEN
    ${signal("IDARG", "'ERR_ARGUMENT: sql_mode must be without EMPTY_STRING_IS_NULL'")};
  END IF;
  -- At READ COMMITTED a lease could take a node that has no row before this transaction ends.
  SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
  START TRANSACTION;
  SELECT shape, name, node, owner, tick INTO held_shape, held_name, held_node, held_owner, held_tick FROM ${states} WHERE ${own} FOR UPDATE;
  -- Read after the wait for open transactions, so that none of them has stamped a later tick.
  SET now_tick = ${nowTick};
  ${body}
  COMMIT;
END;
`;
  const differs = `held_shape <> '${shape}' OR NOT (held_name <=> ${namespace}) OR held_node NOT BETWEEN ${node} AND ${node + count - 1} THEN
    ${signal("IDNSP", "'ERR_NAMESPACE: the functions are for '", "held_shape", "', node '", "held_node")};`;

  const install = `${takeLock}CREATE TABLE IF NOT EXISTS ${states} (
  functions VARCHAR(20) NOT NULL PRIMARY KEY, shape VARCHAR(255) NOT NULL, name VARCHAR(400) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  node BIGINT NOT NULL, owner VARCHAR(64), tick BIGINT NOT NULL, sequence BIGINT NOT NULL, calls BIGINT NOT NULL
) ENGINE=InnoDB;
CREATE TABLE IF NOT EXISTS ${calls} (number BIGINT NOT NULL PRIMARY KEY AUTO_INCREMENT) ENGINE=InnoDB;
${procedure(
  "",
  `-- SLEEP comes first. With sysdate_is_now a call could not read the present that it waits for.
  IF SLEEP(0.01) + TIMESTAMPDIFF(MICROSECOND, NOW(6), SYSDATE(6)) = 0 THEN
    ${signal("IDARG", "'ERR_ARGUMENT: the server must run without sysdate_is_now'")};
  END IF;
  IF now_tick < 0 OR now_tick > ${lastTick} THEN
    ${signal("IDARG", `'ERR_ARGUMENT: the time must be between tick 0 and tick ${lastTick}, got tick '`, "now_tick")};
  END IF;
  IF COALESCE(held_shape, '') = '' THEN
    SELECT MIN(routine_name) INTO found FROM information_schema.routines WHERE routine_schema = DATABASE()
      AND routine_type = 'FUNCTION' AND routine_name IN (${names.map((name) => `'${functionPrefix}${name}'`).join(", ")});
    IF found IS NOT NULL THEN
      ${signal("IDNSP", "'ERR_NAMESPACE: there is a function '", "found", "' already'")};
    END IF;${
      name === undefined
        ? `
    SELECT MIN(functions) INTO found FROM ${states} WHERE functions <> '${functionPrefix}' AND shape <> '' AND node = ${node};
    IF found IS NOT NULL THEN
      ${signal("IDNSP", `'ERR_NAMESPACE: node ${node} is that of the functions with the prefix "'`, "found", `'"'`)};
    END IF;`
        : claim
    }
    -- Of functions that had the node before, with any prefix.
    SELECT MAX(tick) INTO held_tick FROM ${states} WHERE shape = '' AND node = own_node;
    REPLACE INTO ${states} VALUES ('${functionPrefix}', '${shape}', ${namespace}, own_node, own_owner,
      GREATEST(${name === undefined ? "-1" : "now_tick - 1"}, COALESCE(${tickOf("held_tick")}, -1)), ${maxSequence}, 0);
  ELSEIF ${differs}${
    name === undefined
      ? ""
      : `
  ELSEIF NOT EXISTS (SELECT 1 FROM ${cells} WHERE k = CONCAT(${key("")}, held_node) AND JSON_UNQUOTE(JSON_EXTRACT(value, '$[0]')) = held_owner) THEN
    ${signal("IDNSP", "'ERR_NAMESPACE: the functions have lost node '", "held_node")};`
  }
  END IF;`,
)}CALL ${prepare}();
DROP PROCEDURE ${prepare};
${create("id_clock_ms")}(last_ms BIGINT) RETURNS BIGINT NOT DETERMINISTIC NO SQL
BEGIN
  DECLARE ms BIGINT DEFAULT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6));
  -- From minus to plus 15 minutes.
  DECLARE since BIGINT DEFAULT
    MOD(MOD(TIMESTAMPDIFF(MICROSECOND, NOW(6), SYSDATE(6)), ${HALF_HOUR_US}) + ${1.5 * HALF_HOUR_US}, ${HALF_HOUR_US}) - ${HALF_HOUR_US / 2};
  IF since < 0 OR ms DIV 1000 <= last_ms THEN
    SET ms = ms + since;
  END IF;
  RETURN ms DIV 1000;
END;
${create("next_id")}() RETURNS BIGINT NOT DETERMINISTIC MODIFIES SQL DATA SQL SECURITY DEFINER
BEGIN
  DECLARE now_ms, first_ms, now_tick, last_tick, last_sequence, last_call, last_ms, wait_ms BIGINT;
  DECLARE own_call, own_node, own_tick, own_sequence BIGINT;
  DECLARE after_tick BIGINT DEFAULT -1;
  DECLARE slept_ms BIGINT DEFAULT 0;
  DECLARE problem VARCHAR(255);
  SELECT tick, sequence, calls, node INTO last_tick, last_sequence, last_call, own_node FROM ${states} WHERE ${own} FOR UPDATE;
  IF last_tick IS NULL THEN
    ${signal("IDNSP", `'ERR_NAMESPACE: "${prefix}_sql" has no row of these functions, as in a copy of the schema: drop them, then run install'`)};
  END IF;
  SET last_ms = ${epochMs} + (last_tick + 1) * ${tickMs} - 1;
  LOOP
    SET now_ms = ${clockMs}(last_ms);
    SET first_ms = COALESCE(first_ms, now_ms);
    IF now_ms < ${epochMs} THEN
      ${signal("IDEPO", "'ERR_EPOCH: the clock reads '", "now_ms", `', before the epoch ${epochMs}'`)};
    END IF;
    SET now_tick = (now_ms - (${epochMs})) DIV ${tickMs};
    IF ${epochMs} + last_tick * ${tickMs} - now_ms > ${maxBackwardMs} THEN
      ${signal("IDCLK", "'ERR_CLOCK_BACKWARDS: the clock stepped back '", `${epochMs} + last_tick * ${tickMs} - now_ms`, "' ms, from '", `${epochMs} + last_tick * ${tickMs}`, "' to '", "now_ms", `'; maxBackwardMs is ${maxBackwardMs}'`)};
    END IF;
    SET own_tick = NULL;
    IF now_tick > GREATEST(last_tick, after_tick) THEN
      IF now_tick > ${lastTick} THEN
        ${signal("IDOVF", "'ERR_TIMESTAMP_OVERFLOW: at '", "now_ms", "' the next ID needs tick '", "now_tick", `', but the last tick is ${lastTick}'`)};
      END IF;
      SET own_tick = now_tick, own_sequence = 0;
    ELSEIF after_tick < 0 AND last_sequence < ${maxSequence} THEN
      SET own_tick = last_tick, own_sequence = last_sequence + 1;
    END IF;
    IF own_tick IS NOT NULL AND own_call IS NULL THEN
      INSERT INTO ${calls} VALUES (NULL);
      SET own_call = LAST_INSERT_ID();
      DELETE FROM ${calls} WHERE number = own_call;
      IF own_call <> last_call + 1 THEN
        SET last_ms = 9007199254740991, own_tick = NULL;
        SET now_ms = ${clockMs}(last_ms);
        SET after_tick = (now_ms - (${epochMs})) DIV ${tickMs};
      END IF;
    END IF;
    IF own_tick IS NOT NULL THEN
      UPDATE ${states} SET tick = own_tick, sequence = own_sequence, calls = own_call WHERE ${own};
      RETURN (own_tick << ${timestampShift}) | (own_node << ${sequenceBits}) | own_sequence;
    END IF;
    SET wait_ms = ${epochMs} + (GREATEST(last_tick, after_tick) + 1) * ${tickMs} - now_ms;
    IF slept_ms + wait_ms > 2000 THEN
      IF slept_ms > 0 AND now_ms = first_ms THEN
        ${signal("IDSTL", "'ERR_CLOCK_STALLED: the clock stands still at '", "now_ms")};
      END IF;
      ${signal("IDFUL", "'ERR_SEQUENCE_EXHAUSTED: tick '", "GREATEST(last_tick, after_tick)", "' is full, and the next one can be used in '", "wait_ms", "' ms'")};
    END IF;
    SET wait_ms = LEAST(wait_ms + slept_ms DIV 10, 100);
    DO SLEEP(wait_ms * 0.001);
    SET slept_ms = slept_ms + wait_ms;
  END LOOP;
END;
${create("decode_id")}(id BIGINT) RETURNS LONGTEXT DETERMINISTIC NO SQL
BEGIN
  DECLARE problem VARCHAR(255);
  IF id < 0 OR id >> ${timestampShift} > ${maxTick} THEN
    ${signal("IDINV", "'ERR_INVALID_ID: id must be of this layout, got '", "id")};
  END IF;
  RETURN IF(id IS NULL, NULL, JSON_OBJECT('timestamp_ms', ${epochMs} + CAST(id >> ${timestampShift} AS SIGNED) * ${tickMs},
    'datacenter_id', (id >> ${machineBits + sequenceBits}) & ${2n ** BigInt(format.layout.datacenterBits) - 1n},
    'machine_id', (id >> ${sequenceBits}) & ${2n ** BigInt(machineBits) - 1n}, 'sequence', id & ${maxSequence}));
END;
${create("id_range")}(from_ms BIGINT, to_ms BIGINT) RETURNS LONGTEXT DETERMINISTIC NO SQL
BEGIN
  DECLARE problem VARCHAR(255);
  DECLARE past BIGINT DEFAULT from_ms > ${epochMs + maxTick * tickMs};
  IF from_ms > to_ms THEN
    ${signal("IDARG", "'ERR_ARGUMENT: to_ms must be at least '", "from_ms", "', got '", "to_ms")};
  END IF;
  RETURN JSON_OBJECT(
    'min_id', CAST(GREATEST(LEAST((from_ms - (${epochMs}) + ${tickMs - 1}) DIV ${tickMs}, ${maxTick + 1}), 0) * CAST(${2n ** BigInt(timestampShift)} AS DECIMAL(20)) - past AS SIGNED),
    'max_id', CAST(GREATEST(LEAST((to_ms - (${epochMs}) + ${tickMs - 1}) DIV ${tickMs}, ${maxTick + 1}), 0) * CAST(${2n ** BigInt(timestampShift)} AS DECIMAL(20)) - past - 1 AS SIGNED));
END;
DO RELEASE_LOCK(${lock});
`;

  const release = `
    UPDATE ${cells} SET version = REPLACE(UUID(), '-', ''),
      value = ${value("'null'", "JSON_EXTRACT(value, '$[1]')", "GREATEST(held_tick + 1, CAST(JSON_EXTRACT(value, '$[1]') AS SIGNED))")}
    WHERE k = CONCAT(${key("")}, held_node) AND JSON_UNQUOTE(JSON_EXTRACT(value, '$[0]')) = held_owner;`;
  // A call of one of the functions, with quotes around its name or without.
  const any = `(${names.map((name) => functionPrefix.toLowerCase() + name).join("|")})`;
  const used = `([\`"]${any}[\`"]|(^|[^0-9a-z_$\`"])${any})[[:space:]]*[(]`;
  const uninstall = `${takeLock}${procedure(
    "is_removed BOOLEAN",
    `IF COALESCE(held_shape, '') = '' THEN
    ${signal("IDNSP", "'ERR_NAMESPACE: these functions are not installed'")};
  ELSEIF ${differs}
  END IF;
  SELECT MIN(trigger_name) INTO found FROM information_schema.triggers
    WHERE trigger_schema = DATABASE() AND LOWER(action_statement) REGEXP '${used}';
  IF found IS NOT NULL THEN
    ${signal("IDARG", "'ERR_ARGUMENT: the functions must be used by no trigger, got '", "found")};
  END IF;
  IF is_removed THEN
    -- A ROLLBACK may have taken the row back, but it has stamped no tick later than the present.
    SET held_tick = GREATEST(held_tick, now_tick);${name === undefined ? "" : release}
    -- The moment is kept under the node, because the same functions may get another node.
    INSERT INTO ${states} VALUES (CONCAT(' ', held_node), '', NULL, held_node, NULL, ${epochMs} + held_tick * ${tickMs}, 0, 0)
    ON DUPLICATE KEY UPDATE tick = GREATEST(tick, VALUES(tick));
    DELETE FROM ${states} WHERE ${own};
  END IF;`,
  )}CALL ${prepare}(FALSE);
${names.map((name) => `DROP FUNCTION IF EXISTS ${named(name)};\n`).join("")}CALL ${prepare}(TRUE);
DROP PROCEDURE ${prepare};
DROP TABLE ${calls};
DO RELEASE_LOCK(${lock});
`;
  return {
    install,
    // The functions go first: then no transaction can begin to make IDs, and the release waits for those that have made some.
    uninstall,
    nextId: `${nextId}()`,
    decodeId: `SELECT ${named("decode_id")}(?)`,
    idRange: `SELECT ${named("id_range")}(?, ?)`,
    columnDefault(table, column = "id") {
      const [quotedTable, quotedColumn] = [quoteName("table", table, "`"), quoteName("column", column, "`")];
      // A dot, because "a_b" and "c" are not "a" and "b_c".
      const trigger = `${functionPrefix}${table}.${column}`;
      if (trigger.length > MAX_NAME)
        throw new ArgumentError(
          "table",
          `at most ${MAX_NAME} characters with functionPrefix, a dot and the column, which name a trigger`,
          trigger,
        );
      return `CREATE /*M! OR REPLACE */ TRIGGER ${quoteName("table", trigger, "`")} BEFORE INSERT ON ${quotedTable} FOR EACH ROW
SET NEW.${quotedColumn} = IF(COALESCE(NEW.${quotedColumn}, 0) = 0, ${nextId}(), NEW.${quotedColumn});
`;
    },
  };
}
