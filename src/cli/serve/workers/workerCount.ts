// The number of workers.

import { nodeModule } from "../../io.ts";
import { AUTO_WORKERS } from "../settings.ts";
import type { ServeContext } from "../stores.ts";

/** Returns how many workers serve: as many as set, or one for each core that the process may use. */
export async function workerCount({ values, io }: ServeContext): Promise<number> {
  const { workers = AUTO_WORKERS } = values;
  if (workers !== AUTO_WORKERS) return workers;
  return (await nodeModule(io, "node:os")).availableParallelism();
}
