// The nodes and ticks that processes of this user on this machine have: a registry of nodes for layouts with nodes, a
// registry of ticks for layouts without.
//
// Layouts that only divide the node's bits differently make the same IDs, so they share a registry. Layouts that differ in the
// bits of the timestamp, node or sequence, in the epoch or in the tick have their own.

import type { MemoryPort } from "../../backend/index.ts";
import type { SnowflakeGenerator } from "../../internal.ts";
import { shapeOf } from "../../lease/nodeSpace.ts";
import type { Io } from "../io.ts";
import { stateFolder } from "./folder.ts";
import { sharedFile } from "./sharedFile.ts";

/** What two generators must share, besides their node, to make the same ID. */
export type Shape = Pick<SnowflakeGenerator, "layout" | "epochMs" | "tickMs">;

/** Returns the name of a shape in file names. */
function fileNameOf({ layout, epochMs, tickMs }: Shape): string {
  const { timestampBits, datacenterBits, machineBits, sequenceBits } = layout;
  return `${timestampBits}.${datacenterBits + machineBits}.${sequenceBits}-epoch${epochMs}-tick${tickMs}`;
}

/**
 * Opens the leases of a shape as a backend for `leaseNode`. Services of all names share them: if each name had its own
 * leases, two services on this machine would repeat each other's IDs.
 *
 * @throws {@link CommandError} if the state folder cannot be used
 */
export async function nodeRegistry(io: Io, shape: Shape): Promise<MemoryPort> {
  const file = await sharedFile(io, await stateFolder(io), `nodes-${fileNameOf(shape)}`);
  return {
    change<State, Result>(
      _name: string,
      change: (state: State | undefined, nowMs: number) => readonly [State, Result],
    ): Result {
      return file.change<State, Result>((kept) => {
        // Layouts of one registry divide the bits differently. The lease refuses another layout's state, so the state gets
        // this layout's shape.
        const state = kept === undefined ? kept : { ...kept, shape: shapeOf(shape, false) };
        const [next, result] = change(state, io.now());
        return [next === state ? kept : next, result];
      });
    },
  };
}

/**
 * Reserves consecutive ticks that no other process reserves. Returns the first one, which is the current tick or a later
 * one; `undefined` if it would be after the last allowed tick.
 */
export type ReserveTicks = (count: number, nowTick: number, lastTick: number) => number | undefined;

/**
 * Opens the reserved ticks of a shape without nodes.
 *
 * @throws {@link CommandError} if the state folder cannot be used
 */
export async function tickRegistry(io: Io, shape: Shape): Promise<ReserveTicks> {
  const file = await sharedFile(io, await stateFolder(io), `ticks-${fileNameOf(shape)}`);
  return (count, nowTick, lastTick) =>
    file.change<number, number | undefined>((next = 0) => {
      const first = Math.max(next, nowTick);
      return first > lastTick ? [next, undefined] : [first + count, first];
    });
}
