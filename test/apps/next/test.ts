// Calls the route handlers with the requests of the platform, as Next.js does, and without Next.js, whose install is larger than
// that of all other apps together. esbuild bundles the handlers with their imports.

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { checkOrders } from "../orders.js";
import type { Reply } from "../request.js";

type Handler = (request: Request, context: { params: Promise<Record<string, string>> }) => Promise<Response>;
type Route = Record<string, Handler | undefined>;

const app = fileURLToPath(new URL("../../next/app", import.meta.url));
const outdir = fileURLToPath(new URL("app", import.meta.url));
const entryPoints = ["orders", "orders/[id]", "payments"].map((path) => `${app}/${path}/route.ts`);
await build({ entryPoints, outdir, bundle: true, format: "esm", packages: "external", logLevel: "error" });

const routeOf = async (path: string): Promise<Route> => import(`${outdir}/${path}/route.js`);
const orders = await routeOf("orders");
const order = await routeOf("orders/[id]");
const payments = await routeOf("payments");

async function send(path: string, init: RequestInit = {}): Promise<Reply> {
  const [, collection = "", id] = path.split("/");
  const route = collection === "payments" ? payments : id === undefined ? orders : order;
  const handler = route[init.method ?? "GET"];
  assert.ok(handler, `no handler for ${init.method} ${path}`);
  const params: Record<string, string> = id === undefined ? {} : { id };
  const request = new Request(`http://localhost${path}`, init);
  const response = await handler(request, { params: Promise.resolve(params) });
  return { status: response.status, headers: response.headers, body: await response.text() };
}

await checkOrders(send);

const init = { method: "POST", body: '{"cents":1250}', headers: { "idempotency-key": "a1" } };
const first = await send("/payments", init);
assert.equal(first.status, 201);
const again = await send("/payments", init);
assert.deepEqual([again.body, again.headers.get("idempotent-replayed")], [first.body, "true"]);
