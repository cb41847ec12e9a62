// Text in columns.

/** Returns one line for each name and value, with the values aligned. */
export function keyValueLines(rows: Readonly<Record<string, unknown>>): string {
  const width = Math.max(...Object.keys(rows).map((name) => name.length));
  return Object.entries(rows)
    .map(([name, value]) => `${name.padEnd(width)}  ${value}\n`)
    .join("");
}

/** Returns rows under a header, each column as wide as its widest cell. */
export function tableLines(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, i) => Math.max(...all.map((row) => (row[i] as string).length)));
  const lineOf = (row: readonly string[]) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] as number))
      .join("  ")
      .trimEnd();
  return all.map((row) => `${lineOf(row)}\n`).join("");
}
