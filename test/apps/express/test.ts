import { checkOrders } from "../orders.js";
import "./login.js";
import "./main.js";
import "./web.js";

await checkOrders();
process.exit();
