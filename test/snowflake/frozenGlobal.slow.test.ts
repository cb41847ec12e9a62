// Processes that freeze globalThis before they load two copies of the built package.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const dist = new URL("../../dist/", import.meta.url);

/** What a process prints that has frozen its globals before it loads two copies of the package. */
const frozen = (freeze: string) => {
  const script = `
    import { createRequire } from "node:module";
    ${freeze}
    const one = await import("${dist}index.js");
    const two = createRequire("${dist}")("${fileURLToPath(dist)}index.cjs");
    const clock = () => 1_800_000_000_000;
    const outcomes = [one, two, one].map((copy) => {
      try {
        return String(copy.makeGenerator("twitter", { machineId: 3, clock }).nextId() & 4095n);
      } catch ({ code, feature }) {
        return code + " " + feature;
      }
    });
    console.log(JSON.stringify([...outcomes, one.decode(1n, "twitter").sequence]));
  `;
  return JSON.parse(
    execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" }),
  );
};

test("a frozen globalThis is no obstacle: two copies of the package meet elsewhere", () => {
  expect(frozen("Object.freeze(globalThis);")).toEqual(["0", "1", "2", 1]);
});

test("where nothing can be extended, making a generator is a typed error, and the rest works", () => {
  const refused = "ERR_UNSUPPORTED globalThis that can be extended";
  expect(frozen("Object.freeze(WeakMap); Object.freeze(globalThis);")).toEqual([
    refused,
    refused,
    refused,
    1,
  ]);
});
