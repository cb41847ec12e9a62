// Timing of the bench: candidates take turns, and the best round of each is its figure.

/** Whether this is a test of the bench itself: `--short`. */
export const isShort = process.argv.includes("--short");

let sink;

/** Keeps a result alive, so that the compiler cannot remove the call that made it. */
export function keep(value) {
  sink = value;
  return sink;
}

/**
 * Returns the nanoseconds per operation of each candidate. Each has a loop of its own, so that the compiler sees one call site
 * per candidate, as in a program. Noise only adds time, so the figure is the shortest of many short rounds.
 *
 * @param {Record<string, (count: number) => void>} loops
 * @param {{ count: number, rounds?: number }} size
 * @returns {Record<string, number>}
 */
export function race(loops, { count, rounds = 30 }) {
  const best = Object.fromEntries(Object.keys(loops).map((name) => [name, Number.POSITIVE_INFINITY]));
  for (const run of Object.values(loops)) run(count);
  for (let round = 0; round < (isShort ? 2 : rounds); round++) {
    for (const [name, run] of Object.entries(loops)) {
      const start = process.hrtime.bigint();
      run(count);
      const ns = Number(process.hrtime.bigint() - start) / count;
      if (ns < best[name]) best[name] = ns;
    }
  }
  return best;
}

/** Counts the repeated IDs in a burst. A generator that throws when its sequence is used up is called again. */
export function duplicates(next, burst) {
  // The IDs are compared after the burst, because a set would slow it down and hide repeats.
  const made = new Array(burst);
  let refusals = 0;
  for (let i = 0; i < burst; ) {
    try {
      made[i] = next();
      i++;
    } catch {
      refusals++;
    }
  }
  return { duplicates: burst - new Set(made).size, refusals };
}

/** Returns the median of numbers, which are left in their order. */
export function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
