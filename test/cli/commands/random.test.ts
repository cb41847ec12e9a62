// bitflake uuid and bitflake random.

import { describe, expect, test } from "vitest";
import { OutputClosedError } from "../../../src/cli/io.ts";
import { cli } from "../cliIo.ts";

const lines = (text: string) => text.split("\n").slice(0, -1);

describe("uuid", () => {
  test.each(["4", "7"])("generates UUIDs of version %s, all of them different", async (version) => {
    const { code, out } = await cli(`uuid --version ${version} -n 1000`);
    expect(code).toBe(0);
    for (const line of lines(out)) {
      expect(line).toMatch(
        new RegExp(`^[0-9a-f]{8}-[0-9a-f]{4}-${version}[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`),
      );
    }
    expect(new Set(lines(out)).size).toBe(1000);
    if (version === "7") expect(lines(out)).toEqual(lines(out).sort());
  });

  test("generates one of version 4 by default, in JSON as an object", async () => {
    expect((await cli("uuid")).out).toMatch(/^.{14}4.{21}\n$/);
    expect(Object.keys(JSON.parse((await cli("uuid -j")).out))).toEqual(["id"]);
  });

  test("writes in chunks, and ends when its reader is gone", async () => {
    expect((await cli("uuid --count 25000")).writes.length).toBeGreaterThan(2);
    let writes = 0;
    const onWrite = (where: string) => {
      if (where === "stdout" && ++writes === 3) throw new OutputClosedError();
    };
    expect(await cli("uuid --count 1000000", { onWrite })).toMatchObject({ code: 0, err: "" });
    expect(writes).toBe(3);
  });
});

describe("random", () => {
  test("generates strings of a length and an alphabet", async () => {
    expect((await cli("random")).out).toMatch(/^[0-9A-Za-z]{21}\n$/);
    const { out } = await cli(["random", "-l", "8", "--alphabet", "äb", "-n", "3"]);
    expect(lines(out)).toEqual(Array(3).fill(expect.stringMatching(/^[äb]{8}$/)));
    expect(JSON.parse((await cli("random --length 4 --json")).out).id).toMatch(/^\w{4}$/);
  });

  test("writes no more than a few long strings at once", async () => {
    const { writes } = await cli("random --length 1048576 --count 3");
    expect(writes.map(({ length }) => length)).toEqual(Array(3).fill(1_048_577));
    expect((await cli("random --length 1 --count 25000")).writes).toHaveLength(3);
    expect(lines((await cli("random --length 100 --count 5000")).out)).toHaveLength(5000);
  });

  test.each([
    ["random --length 0", '--length must be a whole number from 1 to 1048576, got "0"'],
    ["random --alphabet x", '--alphabet must be a string of 2 to 256 distinct characters, got "x"'],
    ["random --alphabet abca", '--alphabet must be a string of 2 to 256 distinct characters, got "abca"'],
    ["random 5", 'random takes no arguments, got "5"'],
    ["uuid --version 1", '--version must be one of 4, 7, got "1"'],
  ])("%s is wrong usage", async (line, message) => {
    expect(await cli(line)).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringContaining(`error: ${message}\n`),
    });
  });
});
