// Outcomes as a table, with a line for each check that failed.

const isPassed = (result) => result.startsWith("ok");

/** Returns the text of a cell. A check that a runtime does not run has no result there. */
const cell = (result) => (result === undefined ? "·" : isPassed(result) ? result : "FAIL");

/**
 * Returns a table with a row for each title and a column for each runtime.
 *
 * @param outcomes by runtime and title, "ok" or the failure
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
 * Returns the number of checks that passed, and a line for each that failed.
 *
 * @param outcomes pairs of a runtime and its outcomes
 */
export function tally(outcomes) {
  const cells = outcomes.flatMap(([runtime, outcome]) =>
    Object.entries(outcome).map(([title, result]) => ({
      result,
      line: `${runtime}, ${title}: ${result.replace(/\s+/g, " ")}`,
    })),
  );
  const failures = cells.filter(({ result }) => !isPassed(result)).map(({ line }) => line);
  return { passed: cells.length - failures.length, failures };
}
