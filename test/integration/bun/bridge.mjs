// Program of the tests, run by Bun: it sends the calls of a port, which arrive as requests, to a server by Bun's clients.
// It prints the port that it listens on, and ends when its input does.

import { RedisClient, SQL } from "bun";
import { fromBunRedis, fromBunSql } from "../../../src/backend/index.ts";

const { kind, url, settings } = JSON.parse(process.argv[2]);
const port =
  kind === "sql"
    ? fromBunSql(new SQL({ url, max: 10 }), settings)
    : fromBunRedis(new RedisClient(url, { enableOfflineQueue: true }), settings);

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  idleTimeout: 60,
  async fetch(request) {
    const { method, args } = await request.json();
    try {
      return Response.json({ answer: await port[method](...args) });
    } catch (error) {
      return Response.json({ error: { message: String(error?.message ?? error), code: error?.code } });
    }
  },
});
console.log(server.port);
for await (const _ of process.stdin);
process.exit(0);
