import { serve } from "@hono/node-server";
import { checkOrders } from "../orders.js";
import app from "./main.js";
import "./web.js";

serve({ fetch: app.fetch, port: Number(process.env.PORT) });
await checkOrders();
process.exit();
