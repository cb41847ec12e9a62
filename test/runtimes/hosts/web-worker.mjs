// Web Worker of Deno, Bun or a browser.

import { makeIds } from "./thread.mjs";

globalThis.onmessage = async ({ data }) => postMessage(await makeIds(data));
