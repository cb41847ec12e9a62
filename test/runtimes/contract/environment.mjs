// Environments that cannot be read: Deno without the permission, workerd without a process.

import { core } from "./core.mjs";
import { equal, fails } from "./expect.mjs";

export const denied = {
  "--deny-env: the error names the variable": async ({ bitflake }) => {
    const { makeGeneratorFromEnv } = bitflake;
    const facts = { feature: "permission to read FLAKEID_DATACENTER_ID" };
    await fails(bitflake, "UnsupportedError", () => makeGeneratorFromEnv("twitter"), facts);
    equal(makeGeneratorFromEnv("twitter", { env: { FLAKEID_MACHINE_ID: "7" } }).machineId, 7, "given env");
  },
};

export const absent = {
  "makeGeneratorFromEnv, no process": (context) => {
    equal(typeof process, "undefined", "typeof process");
    return core.makeGeneratorFromEnv(context);
  },
};
