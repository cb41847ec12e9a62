import { makeGeneratorFromEnv } from "bitflake";
import { logger } from "./logger.js";

const ids = makeGeneratorFromEnv("twitter", { required: true });
const orderId = ids.nextId();
logger.info({ orderId, cents: 1250 }, "order");
const ofRequest = logger.child({ requestId: ids.nextId() });
ofRequest.warn({ orderId, err: new Error("no stock") }, "order refused");
