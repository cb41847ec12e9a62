// Deno imports the package from a registry.

import * as bitflake from "npm:bitflake";
import { play } from "../contract/scenes.mjs";

console.log(JSON.stringify(await play("npm", { bitflake })));
