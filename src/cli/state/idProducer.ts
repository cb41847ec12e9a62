// Where `bitflake new` takes its IDs from: a node that the user gives, a node leased in the state folder, or, in a layout
// without nodes, ticks that no other process has.

import {
  EpochError,
  type GeneratorOptions,
  makeGeneratorFromEnv,
  SnowflakeGenerator,
} from "../../internal.ts";
import { leaseNode } from "../../lease/index.ts";
import { CommandError, UsageError } from "../errors.ts";
import type { Io } from "../io.ts";
import { nodeRegistry, tickRegistry } from "./nodeRegistry.ts";

/** How long to wait for a node when all are taken, in milliseconds: those who have them are soon done. */
const NODE_WAIT_MS = 5000;

/**
 * How far ahead of the clock ticks may be taken, in milliseconds. Many processes at once take them from each other; what
 * is further ahead was taken before the clock was set back.
 */
const MAX_AHEAD_MS = 60_000;

/** Makes IDs. */
export interface IdProducer {
  /** Makes so many, which are at most {@link IdProducer.chunk}. */
  make(count: number): Promise<bigint[]>;
  /** How many fit into a tenth of a second; at least one. */
  readonly chunk: number;
  close(): Promise<void>;
}

/** The most IDs that are made before they are written. */
const MAX_CHUNK = 10_000;

const chunkOf = (generator: SnowflakeGenerator): number =>
  Math.max(1, Math.min(MAX_CHUNK, Math.floor(generator.capacity().idsPerSecond / 10)));

/** Makes many IDs at once where they come fast, and one by one, asleep between ticks, where they do not. */
const stampWith =
  (generator: SnowflakeGenerator) =>
  async (count: number): Promise<bigint[]> =>
    count > 1 ? generator.nextIds(count) : [await generator.nextIdAsync()];

/** A source that leases a node from those of this user on this machine. */
async function leasedProducer(
  options: GeneratorOptions,
  shape: SnowflakeGenerator,
  io: Io,
): Promise<IdProducer> {
  const backend = await nodeRegistry(io, shape);
  const lease = await leaseNode({ backend, preset: options, waitMs: NODE_WAIT_MS });
  const { generator } = lease;
  return { make: stampWith(generator), chunk: chunkOf(generator), close: () => lease.release() };
}

/** A source that takes ticks which no other process of this user on this machine takes. */
async function tickProducer(
  options: GeneratorOptions,
  shape: SnowflakeGenerator,
  io: Io,
): Promise<IdProducer> {
  const { epochMs, tickMs } = shape;
  const { idsPerTick } = shape.capacity();
  const take = await tickRegistry(io, shape);
  let stampMs = io.now();
  const generator = new SnowflakeGenerator({ ...options, clock: () => stampMs });
  const tickAt = (ms: number) => Math.floor((Math.floor(ms) - epochMs) / tickMs);
  return {
    chunk: chunkOf(generator),
    async make(count) {
      const nowMs = io.now();
      if (nowMs < epochMs) throw new EpochError(nowMs, epochMs);
      const ticks = Math.ceil(count / idsPerTick);
      const first = take(ticks, tickAt(nowMs), tickAt(nowMs + MAX_AHEAD_MS));
      if (first === undefined) {
        throw new CommandError(
          "ERR_CLOCK_BACKWARDS",
          `the clock is more than ${MAX_AHEAD_MS} ms behind the last IDs that were made here; set it right, or say by --machine-id 0 that no other process makes IDs of this layout`,
        );
      }
      const ids: bigint[] = [];
      for (let tick = first; tick < first + ticks; tick++) {
        stampMs = epochMs + tick * tickMs;
        // No ID is from the future.
        while (io.now() < stampMs) {
          const waitMs = stampMs - io.now();
          await new Promise((wake) => setTimeout(wake, waitMs));
        }
        ids.push(...generator.nextIds(Math.min(count - ids.length, idsPerTick)));
      }
      return ids;
    },
    close: async () => {},
  };
}

/**
 * Opens the source of the IDs of a call.
 *
 * @param options of the layout
 * @param node the fields that the user gives by flags; variables give the others
 * @throws {@link UsageError} if the node is given by half
 * @throws {@link Failure} if the state folder is needed and cannot be used
 */
export async function openIdProducer(
  options: GeneratorOptions,
  node: Pick<GeneratorOptions, "datacenterId" | "machineId">,
  io: Io,
): Promise<IdProducer> {
  const { datacenterId, machineId } = node;
  // A variable would win over an option; a flag wins over both.
  const env = {
    ...io.env,
    ...(datacenterId === undefined ? {} : { FLAKEID_DATACENTER_ID: undefined }),
    ...(machineId === undefined ? {} : { FLAKEID_MACHINE_ID: undefined }),
    FLAKEID_EPOCH_MS: undefined, // Settled with the layout.
  };
  const isGiven = machineId !== undefined || Boolean(env.FLAKEID_MACHINE_ID);
  // Without a machine it is only asked for its layout: no ID is made with node 0.
  const generator = makeGeneratorFromEnv(options, { env, datacenterId, machineId: isGiven ? machineId : 0 });
  if (isGiven) {
    return { make: stampWith(generator), chunk: chunkOf(generator), close: async () => {} };
  }
  const { datacenterBits, machineBits } = generator.layout;
  if (datacenterBits + machineBits === 0) return tickProducer(options, generator, io);
  if (datacenterBits > 0 && (datacenterId !== undefined || env.FLAKEID_DATACENTER_ID)) {
    throw new UsageError(
      "a datacenter needs a machine beside it: --machine-id or FLAKEID_MACHINE_ID; without both, a node is leased",
    );
  }
  return leasedProducer(options, generator, io);
}
