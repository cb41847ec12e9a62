// The IDs of `bitflake new`: from a node that the user gives, from a node leased in the state folder, or, in a layout without
// nodes, from ticks that no other process reserves.

import {
  EpochError,
  type GeneratorOptions,
  makeGeneratorFromEnv,
  SnowflakeGenerator,
} from "../../internal.ts";
import { leaseNode } from "../../lease/index.ts";
import { CommandError, UsageError } from "../errors.ts";
import type { Io } from "../io.ts";
import { formatDuration } from "../terminal/formatDuration.ts";
import { nodeRegistry, tickRegistry } from "./nodeRegistry.ts";

/** How long to wait for a node if all are leased, in milliseconds. Other calls return theirs soon. */
const NODE_WAIT_MS = 5000;

/**
 * How far ahead of the clock ticks may be reserved, in milliseconds: many processes at once push each other ahead. A tick
 * that is reserved further ahead means that the clock was set back.
 */
const MAX_AHEAD_MS = 60_000;

/** Produces IDs in chunks. */
export interface IdProducer {
  /** Produces up to {@link IdProducer.chunk} IDs. */
  produce(count: number): Promise<bigint[]>;
  /** How many IDs the layout has in a tenth of a second, at least 1. */
  readonly chunk: number;
  close(): Promise<void>;
}

/** The maximum number of IDs in memory. */
const MAX_CHUNK = 10_000;

const chunkOf = (generator: SnowflakeGenerator): number =>
  Math.max(1, Math.min(MAX_CHUNK, Math.floor(generator.capacity().idsPerSecond / 10)));

/** Generates many IDs synchronously; a single one asynchronously, because a slow layout waits for its next tick. */
const generateWith =
  (generator: SnowflakeGenerator) =>
  async (count: number): Promise<bigint[]> =>
    count > 1 ? generator.nextIds(count) : [await generator.nextIdAsync()];

/** Leases a node from the registry of this user and machine. */
async function leasedProducer(
  options: GeneratorOptions,
  shape: SnowflakeGenerator,
  io: Io,
): Promise<IdProducer> {
  const backend = await nodeRegistry(io, shape);
  const lease = await leaseNode({ backend, preset: options, waitMs: NODE_WAIT_MS });
  const { generator } = lease;
  return { produce: generateWith(generator), chunk: chunkOf(generator), close: () => lease.release() };
}

/** Reserves ticks from the registry of this user and machine. */
async function tickProducer(
  options: GeneratorOptions,
  shape: SnowflakeGenerator,
  io: Io,
): Promise<IdProducer> {
  const { epochMs, tickMs } = shape;
  const { idsPerTick } = shape.capacity();
  const reserve = await tickRegistry(io, shape);
  let stampMs = io.now();
  const generator = new SnowflakeGenerator({ ...options, clock: () => stampMs });
  const tickAt = (ms: number) => Math.floor((Math.floor(ms) - epochMs) / tickMs);
  return {
    chunk: chunkOf(generator),
    async produce(count) {
      const nowMs = io.now();
      if (nowMs < epochMs) throw new EpochError(nowMs, epochMs);
      const ticks = Math.ceil(count / idsPerTick);
      const first = reserve(ticks, tickAt(nowMs), tickAt(nowMs + MAX_AHEAD_MS));
      if (first === undefined) {
        throw new CommandError(
          "ERR_CLOCK_BACKWARDS",
          `the clock is more than ${formatDuration(MAX_AHEAD_MS)} behind the last IDs of this machine; correct the clock, or pass --machine-id 0 if no other process generates IDs of this layout`,
        );
      }
      const ids: bigint[] = [];
      for (let tick = first; tick < first + ticks; tick++) {
        stampMs = epochMs + tick * tickMs;
        // Wait for a tick that is still ahead: no ID has a timestamp in the future.
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
 * Opens the producer of a call's IDs.
 *
 * @param options the options of the layout
 * @param node the fields that flags give; variables give the others
 * @throws {@link UsageError} if the datacenter is given without the machine
 * @throws {@link CommandError} if the state folder is required and cannot be used
 */
export async function openIdProducer(
  options: GeneratorOptions,
  node: Pick<GeneratorOptions, "datacenterId" | "machineId">,
  io: Io,
): Promise<IdProducer> {
  const { datacenterId, machineId } = node;
  // In makeGeneratorFromEnv a variable overrides an option; here a flag overrides both.
  const env = {
    ...io.env,
    ...(datacenterId === undefined ? {} : { FLAKEID_DATACENTER_ID: undefined }),
    ...(machineId === undefined ? {} : { FLAKEID_MACHINE_ID: undefined }),
    FLAKEID_EPOCH_MS: undefined, // Resolved with the layout.
  };
  const isGiven = machineId !== undefined || Boolean(env.FLAKEID_MACHINE_ID);
  // Without a machine, this generator is only used for its layout: no ID is generated with machine 0.
  const generator = makeGeneratorFromEnv(options, { env, datacenterId, machineId: isGiven ? machineId : 0 });
  if (isGiven) {
    return { produce: generateWith(generator), chunk: chunkOf(generator), close: async () => {} };
  }
  const { datacenterBits, machineBits } = generator.layout;
  if (datacenterBits + machineBits === 0) return tickProducer(options, generator, io);
  if (datacenterBits > 0 && (datacenterId !== undefined || env.FLAKEID_DATACENTER_ID)) {
    throw new UsageError(
      "a datacenter requires a machine: set --machine-id or FLAKEID_MACHINE_ID, or set neither to lease a node",
    );
  }
  return leasedProducer(options, generator, io);
}
