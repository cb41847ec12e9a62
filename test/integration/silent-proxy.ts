// A network between a client and a server that can go silent: packets are lost, and no connection is ended for it.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A network. */
export interface Network {
  /** The address of the server, by way of this network. */
  readonly url: string;
  /** From now on everything is lost, for good on the connections that there are, and no end of any is told. */
  silence(): void;
  /** From now on new connections work. */
  restore(): void;
  close(): void;
}

/** Puts a network in front of a server. */
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
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
