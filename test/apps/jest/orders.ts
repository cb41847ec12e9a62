// Code under test: its generator is made when the module is loaded.

import { makeGenerator } from "bitflake";

const ids = makeGenerator("twitter", { machineId: 3 });

export function createOrder(cents: number, nextId: () => bigint = () => ids.nextId()) {
  return { id: nextId(), cents };
}
