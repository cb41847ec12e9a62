// workerd plays one scene while it loads this module, the others in a handler. Its variables are bindings.

import { play } from "../contract/scenes.mjs";
import * as bitflake from "../node_modules/bitflake/dist/index.js";
import { decode, makeGenerator, nextId } from "../node_modules/bitflake/dist/index.js";

const world = {
  bitflake,
  named: { decode, makeGenerator, nextId },
  load: (name) => import(`../node_modules/bitflake/dist/${name.split("/")[1] ?? "index"}.js`),
};
const atModuleScope = await play("module scope", world);

export default {
  async fetch(request, env) {
    const scene = decodeURI(new URL(request.url).pathname.slice(1));
    return Response.json(scene === "module scope" ? atModuleScope : await play(scene, { ...world, env }));
  },
};
