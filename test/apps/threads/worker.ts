import { parentPort, workerData } from "node:worker_threads";
import { SharedGenerator, type SharedHandle } from "bitflake/threads";

const { handle, count } = workerData as { handle: SharedHandle; count: number };
parentPort?.postMessage(SharedGenerator.attach(handle).fill(new BigInt64Array(count)));
