// Web server for a browser: serves the workspace on any host name, and receives the results of the page's suite.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript" };

/** Headers that make a page cross-origin isolated, so that it may share memory with its workers. */
const ISOLATION = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** Starts the server. Returns its port, and a promise of the outcome that the page reports. */
export async function openSite(folder, suite) {
  let resolveOutcome;
  const outcome = new Promise((resolve) => {
    resolveOutcome = resolve;
  });
  const server = createServer(async (request, response) => {
    // A request to a proxy contains the host too.
    const path = new URL(request.url, "http://localhost").pathname.replace(/^\/[^/]+\//, "");
    if (path === "outcome") {
      resolveOutcome(JSON.parse(Buffer.concat(await request.toArray()).toString()));
      return response.end();
    }
    const content = await readFile(join(folder, path)).catch(() => undefined);
    if (!content) return response.writeHead(404).end();
    response.writeHead(200, { "Content-Type": TYPES[extname(path)], ...(suite === "isolated" && ISOLATION) });
    response.end(content);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { port: server.address().port, outcome, close };
}
