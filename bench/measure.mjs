// How things are timed here: candidates take turns, and the best round of each counts.

/** Whether it only has to be seen to run: `--short`. */
export const isShort = process.argv.includes("--short");

let sink;

/** Keeps a result alive, so that the compiler cannot drop the call that made it. */
export function keep(value) {
  sink = value;
  return sink;
}

/**
 * Nanoseconds per operation of each candidate. Each brings its own loop, so that the compiler sees one call site per
 * candidate, as it would in a program. Noise only ever adds time, so the least of many short rounds is the figure.
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

/** How many of a burst of IDs are not new. A generator that throws when it is out of numbers is asked again. */
export function duplicates(next, burst) {
  // Only collected during the burst, and compared after it: a set would slow the burst down and hide repeats.
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
