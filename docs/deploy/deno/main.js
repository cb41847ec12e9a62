// The service on Deno Deploy, with Deno KV for nodes, counters and limits. Deno KV cannot keep pools of numeric IDs.

import { fromDenoKv } from "npm:bitflake@^0.1.0/backend";
import { createService } from "npm:bitflake@^0.1.0/service";

const apiKeys = Deno.env.get("API_KEYS");
// An empty variable would be an empty key, which the service refuses too. Here the error names the variable.
if (!apiKeys)
  throw new Error("set the environment variable API_KEYS: keys of 16 to 255 characters, separated by commas");

const service = createService({
  backend: fromDenoKv(await Deno.openKv()),
  apiKeys: apiKeys.split(","),
  rateLimit: { limit: 600 },
  onEvent: ({ error, ...event }) => console.log(JSON.stringify({ ...event, error: error && String(error) })),
});

// Deno Deploy chooses the port, and starts and ends isolates as it likes. One that ends without a signal leaves its node taken
// for up to 30 s.
const server = Deno.serve((request, info) => service(request, { address: info.remoteAddr.hostname }));
Deno.addSignalListener("SIGTERM", async () => {
  await service.stop();
  await server.shutdown();
  Deno.exit();
});
