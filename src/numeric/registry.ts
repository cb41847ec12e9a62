// Registry: how the IDs of a name are issued, recorded in the store, so that no process issues them in another way.

import { callStore } from "../backend/call.ts";
import { Cells, cellKey } from "../backend/cells.ts";
import { mysqlLiteral, mysqlTable } from "../backend/mysqlSql.ts";
import { type Backend, isMysqlPort, type MysqlPort, type MysqlResult } from "../backend/ports.ts";
import { queryRows } from "../backend/sql.ts";
import { qualifiedTable, redisKey } from "../backend/storeNames.ts";
import { BackendError, NamespaceError } from "../internal.ts";

/** A shape: what all processes must agree on for one type of IDs, such as its kind, length and rules. */
export type IdShape = Readonly<Record<string, unknown>>;

const OPERATION = "IDs: register";

/** Reads the shape. With ARGV it first writes one, unless there is one. */
const SCRIPT = `
if ARGV[1] then redis.call('SETNX', KEYS[1], ARGV[1]) end
return 'shape ' .. (redis.call('GET', KEYS[1]) or '')
`;

/** Reads the recorded shape, and records `shape` first if none is recorded. Resolves to an empty string if there is none. */
async function readShape(backend: Backend, name: string, shape?: string): Promise<string> {
  if ("eval" in backend) {
    const args = shape === undefined ? [] : [shape];
    const call = () => backend.eval(SCRIPT, [redisKey(backend, name, "ids")], args);
    return callStore(backend, OPERATION, call, (answer) => /^shape (.*)$/.exec(String(answer))?.[1]);
  }
  if ("change" in backend) {
    const change = (recorded?: string) => [recorded || shape || "", recorded || shape || ""] as const;
    const call = async () => backend.change<string, string>(`ids:${name}`, change);
    return callStore(backend, OPERATION, call, (answer) => (typeof answer === "string" ? answer : undefined));
  }
  if (isMysqlPort(backend)) return readMysqlShape(backend, name, shape);
  if ("swap" in backend) {
    const rule = (recorded?: string) =>
      recorded === undefined && shape !== undefined
        ? { value: shape, result: shape }
        : { result: recorded ?? "" };
    return new Cells(backend).step(OPERATION, cellKey(backend, "ids", name), rule);
  }
  // native/statements.ts explains the columns.
  const types = qualifiedTable(backend, "id_types");
  if (shape !== undefined) {
    const insert = `INSERT INTO ${types} (type, shape, sweep, filling, taken) VALUES ($1, $2, '', 0, 0)
ON CONFLICT (type) DO NOTHING`;
    await queryRows(backend, OPERATION, insert, [name, shape], () => true);
  }
  // Without a row the shape is empty, as in the other stores.
  return queryRows(backend, OPERATION, `SELECT shape FROM ${types} WHERE type = $1`, [name], ([row]) => {
    const { shape = "" } = (row ?? {}) as { readonly shape?: unknown };
    return typeof shape === "string" ? shape : undefined;
  });
}

async function readMysqlShape(backend: MysqlPort, name: string, shape?: string): Promise<string> {
  const send = <T>(sql: string, parse: (result: MysqlResult) => T | undefined) =>
    callStore(
      backend,
      OPERATION,
      () => backend.statement(sql),
      (result) => parse(result as MysqlResult),
    );
  // native/mysqlStatements.ts explains the columns.
  const types = mysqlTable(backend.prefix ?? "bitflake", "id_types");
  const type = mysqlLiteral(name);
  if (shape !== undefined) {
    const insert = `INSERT IGNORE INTO ${types} (type, shape, history, scan, claimed_until, writes)
VALUES (${type}, ${mysqlLiteral(shape)}, '', '', 0, 0)`;
    await send(insert, () => true);
  }
  // As bytes, because the connection may have another character set.
  const select = `SELECT CAST(shape AS BINARY) AS shape FROM ${types} WHERE type = ${type}`;
  return send(select, ({ rows: [row] }) => (row === undefined ? "" : (row["shape"] ?? undefined)));
}

/**
 * Returns whether a shape is recorded for a name, and asserts that it is the given one.
 *
 * @param description the subject in the error
 * @throws {@link NamespaceError} if another shape is recorded
 * @throws {@link BackendError}
 */
export async function isRegistered(
  backend: Backend,
  name: string,
  shape: IdShape,
  description: string = `the ID type ${JSON.stringify(name)}`,
): Promise<boolean> {
  return matchesShape(await readShape(backend, name), description, shape);
}

/**
 * Records a shape for a name, unless one is recorded, and asserts that the recorded one is the given one.
 *
 * @throws {@link NamespaceError} if another shape is recorded
 * @throws {@link BackendError}
 */
export async function register(
  backend: Backend,
  name: string,
  shape: IdShape,
  description: string = `the ID type ${JSON.stringify(name)}`,
): Promise<void> {
  if (await isRegistered(backend, name, shape, description)) return;
  const recorded = await readShape(backend, name, JSON.stringify(shape));
  if (!matchesShape(recorded, description, shape)) throw unexpectedResponse(shape);
}

/** Returns whether the recorded string is a shape, and asserts that it has the same facts as `shape`. */
function matchesShape(text: string, description: string, shape: IdShape): boolean {
  if (text === "") return false;
  const recorded = parseShape(text);
  for (const [fact, value] of Object.entries(shape)) {
    if (JSON.stringify(recorded[fact]) === JSON.stringify(value)) continue;
    const recordedValue = String(recorded[fact]).slice(0, 100);
    throw new NamespaceError(
      `${fact} of ${description}`,
      `${recordedValue}, as recorded in the store`,
      String(value),
    );
  }
  return true;
}

function parseShape(text: string): Record<string, unknown> {
  let shape: unknown;
  try {
    shape = JSON.parse(text);
  } catch (cause) {
    throw unexpectedResponse(cause);
  }
  if (typeof shape !== "object" || shape === null || Array.isArray(shape)) throw unexpectedResponse(text);
  return shape as Record<string, unknown>;
}

function unexpectedResponse(cause: unknown): BackendError {
  return new BackendError(OPERATION, "answer", "unexpected response", { cause });
}
