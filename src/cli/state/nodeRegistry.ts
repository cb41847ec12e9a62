// The node book: which process of this user on this machine has which node, for layouts with nodes; and which ticks are
// taken, for layouts without. Layouts that divide the bits of a node differently make the same IDs, so they share one;
// those with another width of the timestamp, node or sequence, another epoch or another tick have their own.

import type { MemoryPort } from "../../backend/index.ts";
import type { SnowflakeGenerator } from "../../internal.ts";
import { formatShape } from "../../lease/nodeSpace.ts";
import type { Io } from "../io.ts";
import { stateFolder } from "./folder.ts";
import { sharedFile } from "./sharedFile.ts";

/** What decides whether two generators can make the same ID, besides their nodes. */
export type Shape = Pick<SnowflakeGenerator, "layout" | "epochMs" | "tickMs">;

/** The name of a shape, as a file can have it. */
function fileNameOf({ layout, epochMs, tickMs }: Shape): string {
  const { timestampBits, datacenterBits, machineBits, sequenceBits } = layout;
  return `${timestampBits}.${datacenterBits + machineBits}.${sequenceBits}-epoch${epochMs}-tick${tickMs}`;
}

/**
 * Opens the leases of a shape, as a store that `leaseNode` takes. They are the same for services of all names: in a
 * namespace of their own, two services on this machine would repeat each other's IDs.
 *
 * @throws {@link Failure} if the state folder cannot be used
 */
export async function nodeRegistry(io: Io, shape: Shape): Promise<MemoryPort> {
  const file = await sharedFile(io, await stateFolder(io), `nodes-${fileNameOf(shape)}`);
  return {
    change<State, Result>(
      _name: string,
      change: (state: State | undefined, nowMs: number) => readonly [State, Result],
    ): Result {
      return file.change<State, Result>((kept) => {
        // In the words of this layout, or the lease would take it for the leases of another.
        const state = kept === undefined ? kept : { ...kept, shape: formatShape(shape, false) };
        const [next, result] = change(state, io.now());
        return [next === state ? kept : next, result];
      });
    },
  };
}

/**
 * Takes so many ticks in a row that no other process takes. Returns the first, which is the current one or a later one;
 * `undefined` if those until the last one are taken.
 */
export type ReserveTicks = (count: number, nowTick: number, lastTick: number) => number | undefined;

/**
 * Opens the record of the ticks that are taken, of a shape without nodes.
 *
 * @throws {@link Failure} if the state folder cannot be used
 */
export async function tickRegistry(io: Io, shape: Shape): Promise<ReserveTicks> {
  const file = await sharedFile(io, await stateFolder(io), `ticks-${fileNameOf(shape)}`);
  return (count, nowTick, lastTick) =>
    file.change<number, number | undefined>((next = 0) => {
      const first = Math.max(next, nowTick);
      return first > lastTick ? [next, undefined] : [first + count, first];
    });
}
