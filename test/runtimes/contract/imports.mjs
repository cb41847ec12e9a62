// Ways to import that only some runtimes have.

import { equal, increasing, truth } from "./expect.mjs";

export const commonjs = {
  "require(), together with import": ({ bitflake, required }) => {
    equal(Object.keys(required).sort(), Object.keys(bitflake).sort(), "exports");
    truth(required.nextId !== bitflake.nextId, "CommonJS is a copy of its own");
    const [here, there] = [bitflake, required].map((copy) =>
      copy.makeGenerator("twitter", { machineId: 24 }),
    );
    const pairs = Array.from({ length: 10_000 }, () => [here.nextId(), there.nextId()]);
    increasing(pairs.flat(), 20_000);
  },
};

export const script = {
  '<script type="module">, no bundler': ({ bitflake, scriptOutput }) => {
    truth(bitflake.parseId(scriptOutput) < bitflake.nextId(), `the page shows an ID: ${scriptOutput}`);
  },
};

export const npm = {
  "npm:bitflake": ({ bitflake }) => {
    increasing([bitflake.nextId(), ...bitflake.nextIds(2000), bitflake.nextId()], 2002);
  },
};
