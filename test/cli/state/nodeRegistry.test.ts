// The node registry: layouts that make the same IDs share their nodes, however they divide the bits of a node.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { nodeRegistry } from "../../../src/cli/state/nodeRegistry.ts";
import { makeGenerator, type PresetName } from "../../../src/index.ts";
import { leaseNode } from "../../../src/lease/index.ts";
import { fakeIo } from "../cliIo.ts";

const folder = mkdtempSync(join(tmpdir(), "bitflake-registry-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const leased = async (preset: PresetName) => {
  const { io } = fakeIo({ env: { BITFLAKE_STATE_DIR: folder } });
  const backend = await nodeRegistry(io, makeGenerator(preset, { machineId: 0 }));
  return leaseNode({ backend, preset });
};

test("leases different nodes to twitter and single_dc, because their nodes have the same bits", async () => {
  const [one, other, third] = [await leased("twitter"), await leased("single_dc"), await leased("twitter")];
  expect([one.node, other.node, third.node]).toEqual([0, 1, 2]);
  const ids = [one, other, third].flatMap(({ generator }) => generator.nextIds(1000));
  expect(new Set(ids).size).toBe(3000);
  // The sequence of large_cluster is shorter, so its node has other bits.
  const apart = await leased("large_cluster");
  expect(apart.node).toBe(0);
  for (const lease of [one, other, third, apart]) await lease.release();
});
