// The node book: layouts that make the same IDs share their nodes, whatever their fields are called.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { nodeRegistry } from "../../../src/cli/state/nodeRegistry.ts";
import { makeGenerator, type PresetName } from "../../../src/index.ts";
import { leaseNode } from "../../../src/lease/index.ts";
import { fakeIo } from "../cliIo.ts";

const folder = mkdtempSync(join(tmpdir(), "bitflake-book-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const leased = async (preset: PresetName) => {
  const { io } = fakeIo({ env: { BITFLAKE_STATE_DIR: folder } });
  const backend = await nodeRegistry(io, makeGenerator(preset, { machineId: 0 }));
  return leaseNode({ backend, preset });
};

test("twitter's and single_dc's nodes have the same bits, so no two are leased at once", async () => {
  const [one, other, third] = [await leased("twitter"), await leased("single_dc"), await leased("twitter")];
  expect([one.node, other.node, third.node]).toEqual([0, 1, 2]);
  const ids = [one, other, third].flatMap(({ generator }) => generator.nextIds(1000));
  expect(new Set(ids).size).toBe(3000);
  // The sequence of large_cluster is shorter: other bits are its node.
  const apart = await leased("large_cluster");
  expect(apart.node).toBe(0);
  for (const lease of [one, other, third, apart]) await lease.release();
});
