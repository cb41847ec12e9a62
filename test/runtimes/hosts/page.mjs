// A browser plays the scene that its address names, straight from dist.

import { play } from "../contract/scenes.mjs";
import * as bitflake from "../node_modules/bitflake/dist/index.js";
import { decode, makeGenerator, nextId } from "../node_modules/bitflake/dist/index.js";
import { runWebThread } from "./web-thread.mjs";

const moduleOf = (name) =>
  new URL(`../node_modules/bitflake/dist/${name.split("/")[1] ?? "index"}.js`, import.meta.url).href;
const [, scene] = location.pathname.split("/");

const outcome = await play(scene, {
  bitflake,
  named: { decode, makeGenerator, nextId },
  load: (name) => import(moduleOf(name)),
  env: {},
  runThread: (job) => runWebThread({ ...job, module: moduleOf("bitflake/threads") }),
  scriptOutput: document.querySelector("output").value,
});
globalThis.report(outcome);
