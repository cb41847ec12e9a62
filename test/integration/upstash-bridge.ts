// HTTP bridge to Redis like Upstash's: takes a command as a JSON array, or at /pipeline an array of commands.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { Redis } from "ioredis";

export interface Bridge {
  readonly url: string;
  readonly token: string;
  close(): Promise<void>;
}

/** Encodes texts as base64, which all clients request, except "OK". */
function encoded(answer: unknown): unknown {
  if (Array.isArray(answer)) return answer.map(encoded);
  return typeof answer === "string" && answer !== "OK" ? Buffer.from(answer).toString("base64") : answer;
}

/** Starts a bridge to a Redis. */
export async function bridge(redisUrl: string): Promise<Bridge> {
  const token = "secret";
  // A lost command gets an error response; the client decides whether to retry.
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: 0 });
  redis.on("error", () => {});
  const run = async ([name, ...args]: readonly string[], asBase64: boolean) => {
    try {
      const result = await redis.call(name, ...args);
      return { result: asBase64 ? encoded(result) : result };
    } catch (error) {
      return { error: (error as Error).message };
    }
  };
  const server = createServer(async (request, response) => {
    const answer = (status: number, body: object) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    if (request.headers.authorization !== `Bearer ${token}`) return answer(401, { error: "Unauthorized" });
    const asBase64 = request.headers["upstash-encoding"] === "base64";
    const body = JSON.parse(await text(request));
    if (request.url === "/pipeline") {
      const commands = body as string[][];
      answer(200, await Promise.all(commands.map((command) => run(command, asBase64))));
    } else {
      const outcome = await run(body as string[], asBase64);
      answer("error" in outcome ? 400 : 200, outcome);
    }
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    async close() {
      redis.disconnect();
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
