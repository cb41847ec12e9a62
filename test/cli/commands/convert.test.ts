// bitflake convert: every form into every other.

import { base32, base58, base62, hex, prefixed } from "bitflake/text";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OutputClosedError } from "../../../src/cli/io.ts";
import { cli } from "../cliIo.ts";

const ID = 911780371413233664n;
const FORMS = {
  decimal: { encode: String },
  hex,
  base32,
  base58,
  base62,
};
const forms = Object.entries(FORMS);
const pairs = forms.flatMap(([from, source]) =>
  forms.map(([to, target]) => ({ from, to, text: source.encode(ID), converted: target.encode(ID) })),
);

describe("convert", () => {
  test.each(pairs)("writes $from in $to", async ({ from, to, text, converted }) => {
    expect(await cli(["convert", text, "--from", from, "--to", to])).toMatchObject({
      code: 0,
      out: `${converted}\n`,
      err: "",
    });
    const { out } = await cli(["convert", text, "--from", from, "--to", to, "--json"]);
    expect(JSON.parse(out)).toEqual(to === "decimal" ? { id: `${ID}` } : { id: `${ID}`, text: converted });
  });

  test("writes the prefix before every form but decimal, and reads it", async () => {
    for (const [from, source] of forms) {
      for (const [to, target] of forms) {
        if (from === "decimal" && to === "decimal") continue;
        const written = (name: string, { encode }: { encode(id: bigint): string }) =>
          name === "decimal" ? encode(ID) : `user_${encode(ID)}`;
        const line = ["convert", written(from, source), "--from", from, "--to", to, "--prefix", "user"];
        expect((await cli(line)).out).toBe(`${written(to, target)}\n`);
      }
    }
    const text = prefixed("order", base32).encode(ID);
    const { code, err } = await cli(`convert ${text} --from base32 --to hex --prefix user`);
    expect([code, err]).toEqual([1, expect.stringContaining("text must be user_ and 13 characters")]);
  });

  test("without --to writes all forms", async () => {
    const all = Object.fromEntries(forms.map(([name, { encode }]) => [name, encode(ID)]));
    expect(JSON.parse((await cli(`convert ${ID}n --json`)).out)).toEqual(all);
    const { out } = await cli(`convert ${ID} 1`);
    expect(out.split("\n\n")[0]).toBe(
      forms.map(([name, { encode }]) => `${name.padEnd(7)}  ${encode(ID)}`).join("\n"),
    );
    expect(out.split("\n\n")).toHaveLength(2);
    expect(JSON.parse((await cli("convert 5 --prefix user --json")).out)).toMatchObject({
      decimal: "5",
      base32: "user_0000000000005",
    });
  });

  test("there and back is the same ID, for every ID", async () => {
    const name = fc.constantFrom("hex", "base32", "base58", "base62");
    await fc.assert(
      fc.asyncProperty(fc.array(fc.bigInt(0n, 2n ** 63n - 1n), { minLength: 1 }), name, async (ids, form) => {
        const stdin = ids.map((id) => `${id}\n`).join("");
        const { out } = await cli(`convert --to ${form}`, { stdin });
        expect((await cli(`convert --from ${form} --to decimal`, { stdin: out })).out).toBe(stdin);
      }),
      { numRuns: 50 },
    );
  });

  test("reads lines, writes each as it comes, reports invalid ones, and goes on", async () => {
    const { code, out, err, writes } = await cli("convert --to hex", {
      stdin: ["1\nx\n", "2", "n\n\n3.5\n"],
    });
    expect(code).toBe(1);
    expect(writes).toEqual([`${hex.encode(1n)}\n`, `${hex.encode(2n)}\n`]);
    expect(out).toBe(writes.join(""));
    expect(err.match(/^error: id must be a bigint/gm)).toHaveLength(2);
  });

  test("ends when its reader is gone", async () => {
    let reads = 0;
    const stdin = Array.from({ length: 1000 }, (_, i) => `${i}\n`);
    const onWrite = (where: string) => {
      if (where === "stdout" && ++reads === 3) throw new OutputClosedError();
    };
    expect(await cli("convert --to hex", { stdin, onWrite })).toMatchObject({ code: 0, err: "" });
    expect(reads).toBe(3);
  });

  test.each([
    ["convert 5 --to octal", '--to must be one of decimal, hex, base32, base58, base62, got "octal"'],
    ["convert 5 --to decimal --prefix user", "--prefix requires another form than decimal in --from or --to"],
    ["convert 5 --prefix user_", "--prefix must be 1 to 63 characters of a-z, 0-9 and _"],
  ])("%s is wrong usage", async (line, message) => {
    const { code, err } = await cli(line);
    expect([code, err]).toEqual([2, expect.stringContaining(`error: ${message}`)]);
  });
});
