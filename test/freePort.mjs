// A free port for a server that a test starts.

import { createServer } from "node:net";

/**
 * Tells whether no process listens on a port, at any address.
 *
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}

/**
 * Returns a free port below the ephemeral ports. The system could give one of those to any connection before the server
 * has started; and a client that reconnects could get the very port that it connects to, and talk to itself.
 *
 * @returns {Promise<number>}
 */
export async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (await isFree(port)) return port;
  }
}
