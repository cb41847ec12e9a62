// The outcome as people read it: a table, and what is wrong with each cell that is not green.

const green = (said) => said.startsWith("ok");

/** A check that a runtime has no part in has no outcome there. */
const cell = (said) => (said === undefined ? "·" : green(said) ? said : "FAIL");

/**
 * @param outcomes runtime → title → "ok", or what is wrong
 * @returns a table with a row for each title and a column for each runtime
 */
export function table(outcomes) {
  const columns = [...outcomes.values()];
  const titles = new Set(columns.flatMap((outcome) => Object.keys(outcome)));
  const rows = [...titles].map((title) => [title, ...columns.map((outcome) => cell(outcome[title]))]);
  const lines = [["", ...outcomes.keys()], ...rows];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines
    .map((line) =>
      line
        .map((text, column) => text.padEnd(widths[column]))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/**
 * @param outcomes pairs of a runtime and its outcomes
 * @returns how many cells are green, and a line for each that is not
 */
export function tally(outcomes) {
  const cells = outcomes.flatMap(([runtime, outcome]) =>
    Object.entries(outcome).map(([title, said]) => ({
      said,
      line: `${runtime}, ${title}: ${said.replace(/\s+/g, " ")}`,
    })),
  );
  const red = cells.filter(({ said }) => !green(said)).map(({ line }) => line);
  return { passed: cells.length - red.length, red };
}
