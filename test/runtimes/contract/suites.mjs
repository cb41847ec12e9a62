// Suites of checks. A runtime runs each of its suites in a start of its own, with its own permissions and origin.

import { client } from "./client.mjs";
import { clocks, coarse, moduleScope } from "./clocks.mjs";
import { core } from "./core.mjs";
import { absent, denied } from "./environment.mjs";
import { events } from "./events.mjs";
import { commonjs, npm, script } from "./imports.mjs";
import { leases } from "./leases.mjs";
import { mask } from "./mask.mjs";
import { insecure, randomness } from "./randomness.mjs";
import { text } from "./text.mjs";
import { shared, threads, unshared } from "./threads.mjs";

const everywhere = { ...core, ...randomness, ...clocks, ...text, ...mask, ...leases, ...events, ...client };

/**
 * The checks, by suite and title. A check gets its context and throws when it fails:
 * - `bitflake`: the exports of `import *`, and `named`: some of them, imported by name
 * - `load(name)`: imports `"bitflake"` or a subpath of it, such as `"bitflake/text"`
 * - `env`: the variables that the launcher has set
 * - on some runtimes: `required`, the exports of `require`; `runThread(job)`; `scriptOutput`, the output of the page's script
 */
export const suites = {
  process: { ...everywhere, ...commonjs, ...shared, ...threads },
  "denied environment": denied,
  npm,
  // `deno check` itself is the check.
  sources: { "deno check of the sources": undefined },

  handler: { ...everywhere, ...shared },
  "module scope": moduleScope,
  "no process": absent,

  page: { ...everywhere, ...script, ...unshared },
  insecure,
  isolated: { ...shared, ...threads },
  coarse,
};

/** Runs a suite. Returns "ok" or the failure, by title. */
export async function runSuite(suite, context) {
  const outcome = {};
  for (const [title, check] of Object.entries(suites[suite])) {
    try {
      await check(context);
      outcome[title] = "ok";
    } catch (error) {
      outcome[title] = String(error);
    }
  }
  return outcome;
}
