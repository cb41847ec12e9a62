// Page that runs the suite in its address, with the package's files as they are in dist.

import { runSuite } from "../contract/suites.mjs";
import * as bitflake from "../node_modules/bitflake/dist/index.js";
import { decode, makeGenerator, nextId } from "../node_modules/bitflake/dist/index.js";
import { runWebThread } from "./web-thread.mjs";

const moduleOf = (name) =>
  new URL(`../node_modules/bitflake/dist/${name.split("/")[1] ?? "index"}.js`, import.meta.url).href;
const [, suite] = location.pathname.split("/");

const outcome = await runSuite(suite, {
  bitflake,
  named: { decode, makeGenerator, nextId },
  load: (name) => import(moduleOf(name)),
  env: {},
  runThread: (job) => runWebThread({ ...job, module: moduleOf("bitflake/threads") }),
  scriptOutput: document.querySelector("output").value,
});
globalThis.report(outcome);
