// bitflake pool fill: generates the IDs of a pool in advance.

import { setup } from "../../backend/index.ts";
import { IdPoolExhaustedError } from "../../internal.ts";
import { IdPool, type NumericIdType } from "../../numeric/index.ts";
import type { Command } from "../command.ts";
import { defineCommand } from "../defineCommand.ts";
import { resolveFileType } from "../flags/idTypeFlags.ts";
import { assertKeepsPools, POOL_FLAGS } from "../flags/poolFlags.ts";
import type { Io } from "../io.ts";
import { type OpenStore, openStore } from "../stores/openStore.ts";
import { Progress } from "../terminal/progress.ts";

/** The exit code that shells report for a program that SIGINT ended. */
const INTERRUPTED = 130;

const flags = {
  ...POOL_FLAGS,
  to: {
    kind: "integer",
    min: 1,
    max: 2 ** 31 - 1,
    default: 6000,
    description: "the number of IDs that are available afterwards",
  },
} as const;

/** The result of a fill. */
interface FillResult {
  readonly available: number;
  readonly added: number;
  readonly isStopped: boolean;
}

/** Fills a pool up to a number of available IDs, or until the stop signal. */
async function fill(
  { backend }: OpenStore,
  type: NumericIdType,
  to: number,
  progress: Progress | undefined,
  io: Io,
): Promise<FillResult> {
  const signal = io.stopSignal();
  await setup(backend, ["numeric"]);
  const pool = new IdPool({ backend, type });
  const stop = () => void pool.stop();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  let added = 0;
  try {
    const isEarly = signal.aborted;
    const available = isEarly
      ? (await pool.status()).available
      : await pool.fill({
          to,
          onProgress: (step) => {
            added = step.added;
            progress?.update({ done: step.available, total: step.target });
          },
        });
    return { available, added, isStopped: signal.aborted && available < to };
  } finally {
    signal.removeEventListener("abort", stop);
    await progress?.end();
  }
}

export const poolFillCommand: Command = defineCommand({
  name: "pool fill",
  summary: "Generates the IDs of a pool in advance.",
  notes: [
    "Missing tables are created first. Ctrl-C stops it after the current step, with exit code 130; IDs that were generated stay. Exit code 1 means that the type has no more IDs.",
  ],
  flags,
  examples: [
    {
      run: "bitflake pool fill --store sqlite:ids.db --types types.json --type farmer --to 2000",
      output: "farmer: 2000 IDs are available, 2000 of them new.",
    },
    { run: "bitflake pool fill --store $DATABASE_URL --types types.json --type farmer --json" },
  ],
  async run(call) {
    const { values, sources, isJson, io } = call;
    assertKeepsPools(values.store, sources["store"]);
    const { to } = values;
    const type = await resolveFileType(io, values, sources);
    const store = await openStore(values.store, call);
    try {
      const progress = isJson ? undefined : new Progress(io.stderr, () => io.now(), `${type.name}:`);
      const { available, added, isStopped } = await fill(store, type, to, progress, io);
      const text = isJson
        ? JSON.stringify({ type: type.name, available, added, target: to, isStopped })
        : `${type.name}: ${available} IDs are available, ${added} of them new.${isStopped ? " The fill was interrupted." : ""}`;
      await io.stdout.write(`${text}\n`);
      if (isStopped) return INTERRUPTED;
      if (available < to) throw new IdPoolExhaustedError(type.name, to, available);
      return 0;
    } finally {
      await store.close();
    }
  },
});
