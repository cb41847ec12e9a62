// bitflake/text: IDs to text of fixed width and back.

import { equal, fails, increasing, truth } from "./expect.mjs";

const IDS = [0n, 1n, 61n, 175928847299117063n, 175928847299117064n, 2n ** 62n, 2n ** 63n - 1n];
const CODES = ["base32", "base58", "base62", "hex"];

export const text = {
  "text: base32, base58, base62, hex": async ({ bitflake, load }) => {
    const codes = await load("bitflake/text");
    for (const name of CODES) {
      const code = codes[name];
      const texts = IDS.map((id) => code.encode(id));
      const read = texts.map((one) => code.decode(one));
      equal(read, IDS, name);
      truth(
        texts.every((one) => one.length === code.width),
        `${name} is ${code.width} wide: ${texts}`,
      );
      increasing(texts, IDS.length);
      for (const bad of [
        "",
        texts[3].slice(1),
        `${texts[3]}0`,
        `${texts[3].slice(1)}!`,
        "~".repeat(code.width),
      ]) {
        await fails(bitflake, "InvalidIdError", () => code.decode(bad));
      }
    }
    equal(codes.hex.encode(175928847299117063n), "0271065ac1020007", "hex");
  },
};
