// Proxy between a client and a server that can go silent, where packets are lost and no connection is closed, or be cut.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A proxy. */
export interface Network {
  /** The server's address through the proxy. */
  readonly url: string;
  /** Loses all packets from now on, for good on the open connections, and closes none of them. */
  silence(): void;
  /** Lets new connections work again. */
  restore(): void;
  /** Closes all connections, as a server that restarts. */
  cut(): void;
  close(): void;
}

/** Starts a proxy in front of a server. */
export async function networkTo(url: string): Promise<Network> {
  const target = new URL(url);
  const port = Number(target.port);
  let isSilent = false;
  const sockets = new Set<Socket>();
  const lost = new Set<Socket>();
  const forward = (from: Socket, to: Socket | undefined) => {
    sockets.add(from);
    from.on("error", () => {});
    from.on("data", (bytes) => {
      if (!lost.has(from)) to?.write(bytes);
    });
    from.on("close", () => {
      sockets.delete(from);
      if (!lost.has(from)) to?.destroy();
    });
  };
  const server = createServer((client) => {
    if (isSilent) {
      lost.add(client);
      forward(client, undefined);
      return;
    }
    const upstream = connect(port, target.hostname);
    forward(client, upstream);
    forward(upstream, client);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  target.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: target.href,
    silence() {
      isSilent = true;
      for (const socket of sockets) lost.add(socket);
    },
    restore() {
      isSilent = false;
    },
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
