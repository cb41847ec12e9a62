// bitflake/lease and bitflake/counter on memory, which every runtime has.

import { equal, fails, increasing, truth } from "./expect.mjs";

const pause = (ms) => new Promise((wake) => setTimeout(wake, ms));

export const leases = {
  "leaseNode: two nodes, renewals, release": async ({ bitflake, load }) => {
    const { memory, setup } = await load("bitflake/backend");
    const { inspect, LeaseExpiredError, leaseNode } = await load("bitflake/lease");
    const backend = memory();
    equal(await setup(backend), "", "no tables");
    const options = { backend, namespace: "runtime", preset: "twitter", ttlMs: 30_000 };
    const [one, two] = [await leaseNode(options), await leaseNode({ ...options, holder: "two" })];
    equal([one.node, two.node, two.generator.machineId], [0, 1, 1], "nodes");
    const ids = [...one.generator.nextIds(2000), await one.generator.nextIdAsync()];
    const until = one.until;
    // The first renewal comes after a second.
    for (let tries = 0; one.until <= until && tries < 600; tries++) await pause(100);
    truth(one.until > until, `renewed, from ${until} to ${one.until}`);
    increasing([...ids, ...one.generator.nextIds(2000)], 4001);
    equal((await inspect(backend, "runtime")).held[1].holder, "two", "holder");
    for (const lease of [one, two]) {
      await lease.release();
      try {
        lease.generator.nextId();
        throw new Error("an ID after the node was released");
      } catch (error) {
        truth(error instanceof LeaseExpiredError && error instanceof bitflake.BitflakeError, String(error));
      }
    }
    await fails(bitflake, "ArgumentError", () => leaseNode({ backend, machineId: 1 }), {
      field: "machineId",
    });
  },

  "Counter: one by one, and by the block": async ({ load }) => {
    const { memory } = await load("bitflake/backend");
    const { Counter } = await load("bitflake/counter");
    const backend = memory();
    const single = new Counter({ backend, name: "runtime", floor: 2n ** 53n });
    const blocks = new Counter({ backend, name: "runtime", block: 10 });
    const values = [await single.next()];
    for (let i = 0; i < 30; i++) values.push(await blocks.next());
    values.push(await single.next());
    increasing(values, 32);
    equal(values[1], 2n ** 53n + 1n, "first of the block");
  },
};
