// Serves the workspace to a browser, on any host name, and takes the outcome of the scene that its page plays.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript" };

/** What makes a page cross-origin isolated, so that it may share memory with its workers. */
const ISOLATION = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** @returns its port, and the outcome: a promise of what the page reports */
export async function openSite(folder, scene) {
  let settle;
  const outcome = new Promise((resolve) => {
    settle = resolve;
  });
  const server = createServer(async (request, response) => {
    // A proxy's requests name the host as well.
    const path = new URL(request.url, "http://localhost").pathname.replace(/^\/[^/]+\//, "");
    if (path === "outcome") {
      settle(JSON.parse(Buffer.concat(await request.toArray()).toString()));
      return response.end();
    }
    const content = await readFile(join(folder, path)).catch(() => undefined);
    if (!content) return response.writeHead(404).end();
    response.writeHead(200, { "Content-Type": TYPES[extname(path)], ...(scene === "isolated" && ISOLATION) });
    response.end(content);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { port: server.address().port, outcome, close };
}
