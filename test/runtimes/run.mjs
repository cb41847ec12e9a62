// The contract on every runtime there is: `npm run test:runtimes`, or `npm run test:runtimes -- deno bundlers` for some.
// On Linux x64, with Debian's chromium, firefox-esr, libwebkit2gtk-4.1-0 and xvfb; all else comes from npm.

import { scenes } from "./contract/scenes.mjs";
import { bun } from "./launchers/bun.mjs";
import { chromium } from "./launchers/chromium.mjs";
import { deno } from "./launchers/deno.mjs";
import { firefox } from "./launchers/firefox.mjs";
import { node } from "./launchers/node.mjs";
import { webkit } from "./launchers/webkit.mjs";
import { workerd } from "./launchers/workerd.mjs";
import { serve } from "./service.mjs";
import { table, tally } from "./table.mjs";
import { installRuntimes, makeWorkspace } from "./workspace.mjs";

const RUNTIMES = [node(20), node(22), node(24), node(26), deno, bun, workerd, chromium, firefox, webkit];

/** Plays a runtime's scenes. A check that says nothing, because its runtime did not start, is as red as one that fails. */
async function outcomeOf(runtime, workspace) {
  const outcome = {};
  for (const scene of runtime.scenes) {
    let said = {};
    let silence = "said nothing";
    try {
      said = await runtime.play(scene, workspace);
      if (said.error) silence = said.error;
    } catch (error) {
      silence = String(error);
    }
    for (const title of Object.keys(scenes[scene])) outcome[title] = said[title] ?? silence;
  }
  return outcome;
}

const names = [...RUNTIMES.map(({ name }) => name), "bundlers", "service"];
const wanted = process.argv.length > 2 ? process.argv.slice(2) : names;
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) throw new Error(`there is no ${unknown}, but ${names}`);

await installRuntimes();
const workspace = await makeWorkspace();

const runtimes = new Map();
for (const runtime of RUNTIMES) {
  if (wanted.includes(runtime.name)) runtimes.set(runtime.name, await outcomeOf(runtime, workspace));
}
let bundlers = new Map();
if (wanted.includes("bundlers")) {
  // They are not there before they are installed.
  const { bundle } = await import("./bundlers.mjs");
  bundlers = await bundle(workspace);
}

const services = wanted.includes("service") ? await serve(workspace) : new Map();

for (const outcomes of [runtimes, bundlers, services])
  if (outcomes.size > 0) console.log(`${table(outcomes)}\n`);
const { passed, red } = tally([...runtimes, ...bundlers, ...services]);
console.log([...red, `${passed} passed, ${red.length} failed`].join("\n"));
process.exit(red.length > 0 ? 1 : 0);
