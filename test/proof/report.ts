// The chaos report of a release: the faults of stores and processes in the chaos tests, and how many IDs repeated.

/** The figures of a run of the chaos tests. */
export interface ChaosResult {
  readonly title: string;
  readonly node: string;
  /** The version of the store, as its program prints it. */
  readonly store: string;
  readonly seconds: number;
  readonly seed: number;
  readonly processes: number;
  readonly ids: number;
  readonly repeated: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly effects: Readonly<Record<string, number>>;
}

const listOf = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ");

/**
 * Returns the report as Markdown.
 *
 * @param passed whether all chaos tests passed
 */
export function chaosReport(version: string, results: readonly ChaosResult[], passed: boolean): string {
  const sum = (pick: (result: ChaosResult) => number) => results.reduce((total, one) => total + pick(one), 0);
  const rows = results.map(
    ({ title, store, processes, ids, repeated, seed }) =>
      `| ${title} | ${store} | ${processes} | ${ids.toLocaleString("en")} | ${repeated} | ${seed} |`,
  );
  const details = results.map(
    ({ title, seconds, faults, effects }) =>
      `- ${title}, ${seconds} s: ${listOf(faults)}. Effects: ${listOf(effects)}.`,
  );
  const runtimes = [...new Set(results.map(({ node }) => node))].join(", ");
  return `# Chaos report of bitflake ${version}

Written by \`npm run prove -- --report\`, from the chaos tests (test/integration/chaos.test.ts) on Node ${runtimes || "(none)"}.
The tests ${passed ? "passed" : "FAILED"}: ${results.length} runs, ${sum(({ processes }) => processes)} processes, ${sum(({ ids }) => ids).toLocaleString("en")} IDs, ${sum(({ repeated }) => repeated)} duplicates.

| run | store | processes | IDs | duplicates | seed |
|---|---|---|---|---|---|
${rows.join("\n")}

## Faults

${details.join("\n")}
`;
}
