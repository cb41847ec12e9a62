// SQL of MySQL and MariaDB: quoted names, literals and the server's clock.

import { ArgumentError } from "../internal.ts";
import { assertName } from "./names.ts";

/** The longest name that follows the prefix. */
const LONGEST_NAME = "id_counts";

/** How many characters a name of MySQL has at most. */
const MAX_NAME = 64;

/** SQL for the server's clock in milliseconds since 1970, in any time zone of the connection. It is constant within a statement. */
export const MYSQL_NOW_MS = "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) DIV 1000)";

/**
 * Returns the name of a table with its prefix, quoted for SQL.
 *
 * @throws {@link ArgumentError} if the prefix is not possible in all tables
 */
export function mysqlTable(prefix: string, table: string): string {
  const start = `${assertName("prefix", prefix)}_`;
  // MySQL counts characters, and has none past U+FFFF in names.
  const isPossible = /^[\0-\uFFFF]+$/u.test(start) && start.length + LONGEST_NAME.length <= MAX_NAME;
  if (isPossible) return `\`${(start + table).replaceAll("`", "``")}\``;
  throw new ArgumentError(
    "prefix",
    `short enough for names of ${MAX_NAME} characters, none past U+FFFF`,
    prefix,
  );
}

/** Returns a literal of a text's bytes, which reads the same in every SQL mode and character set. */
export function mysqlLiteral(text: string): string {
  let hex = "";
  for (const byte of new TextEncoder().encode(text)) hex += byte.toString(16).padStart(2, "0");
  return `X'${hex}'`;
}
