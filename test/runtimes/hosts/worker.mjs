// Worker for workerd, which runs one suite while it loads this module and the others in a handler. Its variables are bindings.

import { runSuite } from "../contract/suites.mjs";
import * as bitflake from "../node_modules/bitflake/dist/index.js";
import { decode, makeGenerator, nextId } from "../node_modules/bitflake/dist/index.js";

const context = {
  bitflake,
  named: { decode, makeGenerator, nextId },
  load: (name) => import(`../node_modules/bitflake/dist/${name.split("/")[1] ?? "index"}.js`),
};
const atModuleScope = await runSuite("module scope", context);

export default {
  async fetch(request, env) {
    const suite = decodeURI(new URL(request.url).pathname.slice(1));
    return Response.json(
      suite === "module scope" ? atModuleScope : await runSuite(suite, { ...context, env }),
    );
  },
};
