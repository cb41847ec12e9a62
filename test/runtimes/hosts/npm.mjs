// Program for Deno that imports the package from a registry.

import * as bitflake from "npm:bitflake";
import { runSuite } from "../contract/suites.mjs";

console.log(JSON.stringify(await runSuite("npm", { bitflake })));
