// Which checks are played where: a scene is one start of a runtime, in one set of circumstances.

import { clocks, coarse, moduleScope } from "./clocks.mjs";
import { core } from "./core.mjs";
import { absent, denied } from "./environment.mjs";
import { commonjs, npm, script } from "./imports.mjs";
import { leases } from "./leases.mjs";
import { insecure, randomness } from "./randomness.mjs";
import { text } from "./text.mjs";
import { shared, threads, unshared } from "./threads.mjs";

const everywhere = { ...core, ...randomness, ...clocks, ...text, ...leases };

/**
 * Scene → title → check. A check gets the world it runs in and throws if something is wrong:
 * - `bitflake`: all that `import *` gives, and `named`: a few of it, imported by name
 * - `load(name)`: imports `"bitflake"` or a subpath of it, such as `"bitflake/text"`
 * - `env`: the variables of ours that the runtime has been given
 * - where there is one: `required` (what `require` gives), `runThread(job)`, `scriptOutput` (what a script left in the page)
 */
export const scenes = {
  process: { ...everywhere, ...commonjs, ...shared, ...threads },
  "denied environment": denied,
  npm,
  // Played by `deno check` itself.
  sources: { "deno check of the sources": undefined },

  handler: { ...everywhere, ...shared },
  "module scope": moduleScope,
  "no process": absent,

  page: { ...everywhere, ...script, ...unshared },
  insecure,
  isolated: { ...shared, ...threads },
  coarse,
};

/** @returns title → "ok", or what is wrong */
export async function play(scene, world) {
  const outcome = {};
  for (const [title, check] of Object.entries(scenes[scene])) {
    try {
      await check(world);
      outcome[title] = "ok";
    } catch (error) {
      outcome[title] = String(error);
    }
  }
  return outcome;
}
