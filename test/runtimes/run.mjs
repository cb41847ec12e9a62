// The contract on every runtime: `npm run test:runtimes`, or `npm run test:runtimes -- deno bundlers` for some of them.
// Needs Linux x64 with Debian's chromium, firefox-esr, libwebkit2gtk-4.1-0 and xvfb. The other runtimes come from npm.

import { suites } from "./contract/suites.mjs";
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

/** Runs the suites of a runtime. A check without a result, because its runtime did not start, has failed. */
async function outcomeOf(runtime, workspace) {
  const outcome = {};
  for (const suite of runtime.suites) {
    let results = {};
    let failure = "no result";
    try {
      results = await runtime.runSuite(suite, workspace);
      if (results.error) failure = results.error;
    } catch (error) {
      failure = String(error);
    }
    for (const title of Object.keys(suites[suite])) outcome[title] = results[title] ?? failure;
  }
  return outcome;
}

const names = [...RUNTIMES.map(({ name }) => name), "bundlers", "service"];
const wanted = process.argv.length > 2 ? process.argv.slice(2) : names;
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) throw new Error(`unknown runtime ${unknown}: use ${names}`);

await installRuntimes();
const workspace = await makeWorkspace();

const runtimes = new Map();
for (const runtime of RUNTIMES) {
  if (wanted.includes(runtime.name)) runtimes.set(runtime.name, await outcomeOf(runtime, workspace));
}
let bundlers = new Map();
if (wanted.includes("bundlers")) {
  // Loaded here, because the bundlers have just been installed.
  const { bundle } = await import("./bundlers.mjs");
  bundlers = await bundle(workspace);
}

const services = wanted.includes("service") ? await serve(workspace) : new Map();

for (const outcomes of [runtimes, bundlers, services])
  if (outcomes.size > 0) console.log(`${table(outcomes)}\n`);
const { passed, failures } = tally([...runtimes, ...bundlers, ...services]);
console.log([...failures, `${passed} passed, ${failures.length} failed`].join("\n"));
process.exit(failures.length > 0 ? 1 : 0);
