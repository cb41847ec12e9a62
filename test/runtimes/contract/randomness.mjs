// UUIDs and random strings, which use the runtime's own crypto.

import { equal, increasing, truth } from "./expect.mjs";

function uuids({ uuid }) {
  const made = Array.from({ length: 5000 }, uuid);
  for (const one of made) {
    truth(
      /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/.test(one),
      `${one} is a UUID v4`,
    );
  }
  equal(new Set(made).size, 5000, "different UUIDs");
}

export const randomness = {
  uuid: ({ bitflake }) => uuids(bitflake),

  uuidv7: ({ bitflake }) => {
    const from = Date.now();
    const made = Array.from({ length: 5000 }, bitflake.uuidv7);
    increasing(made, 5000);
    for (const one of made) {
      truth(
        /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/.test(one),
        `${one} is a UUID v7`,
      );
      const ms = Number.parseInt(one.slice(0, 8) + one.slice(9, 13), 16);
      truth(from <= ms && ms <= Date.now(), `${one} carries the time`);
    }
  },

  randomString: ({ bitflake }) => {
    const { randomString } = bitflake;
    const made = Array.from({ length: 5000 }, () => randomString());
    equal(new Set(made).size, 5000, "different strings");
    truth(
      made.every((one) => /^[\dA-Za-z]{21}$/.test(one)),
      "21 letters and digits",
    );
    const bits = randomString(10_000, "01");
    const ones = bits.replaceAll("0", "").length;
    truth(bits.length === 10_000 && Math.abs(ones - 5000) < 500, `${ones} of 10,000 coins are heads`);
  },
};

/** For pages served over plain http, where browsers have no `crypto.randomUUID`. */
export const insecure = {
  "uuid on an insecure origin": ({ bitflake }) => {
    equal(
      [globalThis.isSecureContext, typeof crypto.randomUUID],
      [false, "undefined"],
      "isSecureContext and randomUUID",
    );
    uuids(bitflake);
  },
};
