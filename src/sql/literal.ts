// Names and text in SQL: identifiers in quotes, and literals of bytes.

import { assertName } from "../backend/names.ts";
import type { SqlDialect } from "./options.ts";

/** Quotes the name of a table or column. */
export function quoteName(field: string, name: unknown, quote: string): string {
  return quote + assertName(field, name).replaceAll(quote, quote + quote) + quote;
}

/** Returns an expression for a text: its bytes, which read the same in every SQL mode and inside of other quotes. */
export function textLiteral(text: string, dialect: SqlDialect = "postgres"): string {
  let hex = "";
  for (const byte of new TextEncoder().encode(text)) hex += byte.toString(16).padStart(2, "0");
  if (dialect === "postgres") return `convert_from(decode('${hex}', 'hex'), 'UTF8')`;
  return dialect === "sqlite" ? `CAST(X'${hex}' AS TEXT)` : `CONVERT(X'${hex}' USING utf8mb4)`;
}
