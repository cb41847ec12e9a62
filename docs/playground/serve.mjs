// Server of the playground for a clone: `npm run playground`, or `node docs/playground/serve.mjs [port]`.

import { readFile, realpath } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = await realpath(fileURLToPath(new URL("../../", import.meta.url)));
const PAGE = "/docs/playground/";
/** The prefixes of the paths that are served. No other file of the repository is. */
const SERVED = [PAGE, "/docs/diagram.mjs", "/dist/"];
const TYPES = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".map": "application/json",
  ".mjs": "text/javascript",
};

/** Returns the content and type of the file at a path, or undefined. */
async function fileAt(path) {
  const wanted = path === PAGE ? `${PAGE}index.html` : path;
  const type = TYPES[extname(wanted)];
  try {
    // The real path, so neither dots nor symbolic links lead outside.
    const file = await realpath(ROOT + decodeURIComponent(wanted));
    const inside = SERVED.some((place) => file.startsWith(ROOT + place));
    return inside && type ? { type, content: await readFile(file) } : undefined;
  } catch {
    return undefined;
  }
}

const server = createServer(async ({ method, url }, response) => {
  const path = url.replace(/[?#].*/, "");
  if (method !== "GET" && method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD" }).end();
  } else if (path === "/" || `${path}/` === PAGE) {
    response.writeHead(302, { location: PAGE }).end();
  } else {
    const found = await fileAt(path);
    const type = found?.type ?? "text/plain";
    response.writeHead(found ? 200 : 404, {
      "content-type": `${type}; charset=utf-8`,
      "cache-control": "no-store",
    });
    response.end(found?.content ?? "Not found.\n");
  }
});

const port = process.argv[2] ?? "0";
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
  console.error(`the port must be a whole number from 0 to 65535, got ${JSON.stringify(port)}`);
  process.exit(1);
}
server.on("error", ({ message }) => {
  console.error(message);
  process.exitCode = 1;
});
// Only this machine can connect.
server.listen(Number(port), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}${PAGE}`);
});
