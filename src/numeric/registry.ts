// What a store remembers of a type: how its IDs are issued, so that nobody issues them in another way as well.

import { callStore } from "../backend/call.ts";
import type { Backend } from "../backend/ports.ts";
import { queryRows } from "../backend/sql.ts";
import { qualifiedTable, redisKey } from "../backend/storeNames.ts";
import { BackendError, NamespaceError } from "../internal.ts";

/** Facts that must be the same each time, by name. */
export type Shape = Readonly<Record<string, unknown>>;

const OPERATION = "IDs: begin";

/** Without ARGV it only looks. The first to come writes a shape down. */
const SCRIPT = `
if ARGV[1] then redis.call('SETNX', KEYS[1], ARGV[1]) end
return 'shape ' .. (redis.call('GET', KEYS[1]) or '')
`;

/** Writes a shape down where there is none, if one is given; resolves to the one that stands there then. */
async function remember(backend: Backend, type: string, shape?: string): Promise<string> {
  if ("eval" in backend) {
    const args = shape === undefined ? [] : [shape];
    const call = () => backend.eval(SCRIPT, [redisKey(backend, type, "ids")], args);
    return callStore(backend, OPERATION, call, (answer) => /^shape (.*)$/.exec(String(answer))?.[1]);
  }
  if ("change" in backend) {
    const change = (known?: string) => [known || shape || "", known || shape || ""] as const;
    const call = async () => backend.change<string, string>(`ids:${type}`, change);
    return callStore(backend, OPERATION, call, (known) => (typeof known === "string" ? known : undefined));
  }
  const types = qualifiedTable(backend, "id_types");
  if (shape !== undefined) {
    const insert = `INSERT INTO ${types} (type, shape, sweep, filling, taken) VALUES ($1, $2, '', 0, 0)
ON CONFLICT (type) DO NOTHING`;
    await queryRows(backend, OPERATION, insert, [type, shape], () => true);
  }
  // No row is an empty shape, as in the other stores.
  return queryRows(backend, OPERATION, `SELECT shape FROM ${types} WHERE type = $1`, [type], ([row]) => {
    const { shape = "" } = (row ?? {}) as { readonly shape?: unknown };
    return typeof shape === "string" ? shape : undefined;
  });
}

/**
 * Compares what a store remembers of a type with what is said of it now.
 *
 * @param what whose shape it is, for the error
 * @returns whether it remembers anything
 * @throws {@link NamespaceError} if it remembers something else
 * @throws {@link BackendError}
 */
export async function recall(
  backend: Backend,
  type: string,
  shape: Shape,
  what: string = `the IDs ${type}`,
): Promise<boolean> {
  return compare(await remember(backend, type), what, shape);
}

/**
 * The same, and has the store remember it if it does not yet.
 *
 * @throws {@link NamespaceError} if it remembers something else
 * @throws {@link BackendError}
 */
export async function register(
  backend: Backend,
  type: string,
  shape: Shape,
  what: string = `the IDs ${type}`,
): Promise<void> {
  if (await recall(backend, type, shape, what)) return;
  if (!compare(await remember(backend, type, JSON.stringify(shape)), what, shape)) throw nonsense(shape);
}

function compare(text: string, what: string, shape: Shape): boolean {
  if (text === "") return false;
  const known = parsed(text);
  for (const [name, value] of Object.entries(shape)) {
    if (JSON.stringify(known[name]) === JSON.stringify(value)) continue;
    const first = String(known[name]).slice(0, 100);
    throw new NamespaceError(`${name} of ${what}`, `${first}, as when they began`, String(value));
  }
  return true;
}

function parsed(text: string): Record<string, unknown> {
  let known: unknown;
  try {
    known = JSON.parse(text);
  } catch (cause) {
    throw nonsense(cause);
  }
  if (typeof known !== "object" || known === null || Array.isArray(known)) throw nonsense(text);
  return known as Record<string, unknown>;
}

function nonsense(cause: unknown): BackendError {
  return new BackendError(OPERATION, "answer", "the answer makes no sense", { cause });
}
