// Worker thread of Node.

import { parentPort, workerData } from "node:worker_threads";
import { makeIds } from "./thread.mjs";

parentPort.postMessage(await makeIds(workerData));
