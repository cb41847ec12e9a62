// bitflake/mask: masked and scattered IDs are the same numbers on every runtime.

import { equal, fails } from "./expect.mjs";

const KEY = "2b7e151628aed2a6abf7158809cf4f3c";
const ID = 911780371413233664n;

export const mask = {
  "mask: masked, scatter": async ({ bitflake, load }) => {
    const { masked, scatter } = await load("bitflake/mask");
    const orders = masked(KEY, { name: "orders" });
    equal(orders.encode(ID), 7284816827242867165n, "masked");
    equal(orders.decode(7284816827242867165n), ID, "unmasked");
    const versions = masked({ keys: { 2: KEY }, current: 2, versionBits: 2 }, { name: "orders" });
    equal(versions.encode(ID), 6792754824892590914n, "masked with a version");
    await fails(bitflake, "InvalidIdError", () => versions.decode(1n));
    const keys = scatter({ shards: 16 });
    equal(keys.encode(ID), 4092211539337291520n, "scattered");
    equal(keys.decode(4092211539337291520n), ID, "unscattered");
    equal(keys.ranges({ min: ID, max: ID + 15n }).length, 16, "ranges");
  },
};
