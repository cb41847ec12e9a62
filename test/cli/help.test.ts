// Help texts and docs/command-line.md: their examples run, they list every setting, and they fit a terminal.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { COMMANDS } from "../../src/cli/commands.ts";
import { SERVE_SETTINGS } from "../../src/cli/serve/settings.ts";
import { flagName } from "../../src/cli/settings/flagTable.ts";
import { PRESETS } from "../../src/internal.ts";
import { cli } from "./cliIo.ts";
import { examples, needsStore, typesFile } from "./examples.ts";
import { settingRows } from "./settingsTable.ts";

const cwd = mkdtempSync(join(tmpdir(), "bitflake-help-"));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));
writeFileSync(join(cwd, "types.json"), typesFile());

const guide = readFileSync(new URL("../../docs/command-line.md", import.meta.url), "utf8");

describe("examples", () => {
  test("are found in help, in the guide and in the README", () => {
    expect(examples.filter(({ where }) => where === "the guide").length).toBeGreaterThan(12);
    expect(examples.filter(({ where }) => where === "the README").length).toBeGreaterThan(4);
    expect(examples.filter(({ where }) => where !== "the guide").length).toBeGreaterThan(18);
    expect(examples.map(({ line }) => line)).not.toContain("");
  });

  test.each(examples.filter((one) => !needsStore(one)))(
    "in $where print the output that is shown: bitflake $line",
    async ({ line, env, output }) => {
      // An audit without an ID fails.
      const stdin = line.startsWith("audit") ? "911780371413233664\n911780371413233665\n" : "";
      const { code, out, err } = await cli(line, { env, cwd, stdin });
      expect(err).toBe("");
      // These checks report an invalid ID.
      expect(code).toBe(/^numeric check.*6786305283|5138/.test(line) ? 1 : 0);
      if (output) expect(out).toBe(output);
      else expect(out).not.toBe("");
    },
  );
});

describe("help", () => {
  test.each(COMMANDS)(
    "of $name has the usage, the summary and every option",
    async ({ name, flags, summary }) => {
      const { code, out } = await cli([...name.split(" "), "--help"]);
      expect(code).toBe(0);
      expect(out).toContain(`Usage: bitflake ${name} `);
      expect(out.replaceAll("\n", " ")).toContain(summary);
      for (const [name, flag] of Object.entries(flags)) {
        expect(out).toContain(flag.noFlagReason && flag.env ? `$${flag.env}` : flagName(name));
      }
      expect((await cli(["help", ...name.split(" ")])).out).toBe(out);
      expect((await cli([...name.split(" "), "-h", "--json"])).out).toBe(out);
    },
  );

  test.each(COMMANDS)("of $name fits 80 columns, except the examples", async ({ name }) => {
    const { out } = await cli([...name.split(" "), "--help"]);
    const [text = ""] = out.split("\nExamples:");
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  test("is as wide as the terminal, up to 100 columns", async () => {
    const widest = async (columns: number) => {
      const { out } = await cli("serve --help", { columns });
      return Math.max(...(out.split("\nExamples:")[0] as string).split("\n").map((line) => line.length));
    };
    expect(await widest(60)).toBeLessThanOrEqual(60);
    expect(await widest(1000)).toBeGreaterThan(80);
    expect(await widest(1000)).toBeLessThanOrEqual(100);
  });

  test.each(["--help", "-h", "help"])("by %s lists every command in 80 columns", async (line) => {
    const { code, out } = await cli(line);
    expect(code).toBe(0);
    for (const { name, summary } of COMMANDS) expect(out).toContain(`  ${name.padEnd(16)}${summary}\n`);
    for (const row of out.split("\n")) expect(row.length).toBeLessThanOrEqual(80);
  });

  test.each(["help numeric", "numeric --help", "numeric -h"])(
    "of a group, by %s, lists its commands",
    async (line) => {
      const { code, out } = await cli(line);
      expect(code).toBe(0);
      expect(out).toMatch(/numeric new .*\n {2}numeric check /);
      expect(out).not.toContain("pool");
    },
  );

  test("of a width has its limits, which for the timestamp begin at 1", async () => {
    const { out } = await cli("decode --help");
    expect(out).toMatch(/--timestamp-bits N .*\(1 to 53\)/);
    expect(out).toMatch(/--sequence-bits N .*\(0 to 53\)/);
  });

  test("of --store-pool-size says that a replaced client can double it", async () => {
    const { out } = await cli("serve --help");
    expect(out.replaceAll(/\s+/g, " ")).toContain("up to twice as many while a silent client is replaced");
  });

  test("of an unknown command is an error", async () => {
    expect(await cli("help deocde")).toMatchObject({
      code: 2,
      err: 'error: unknown command "deocde"; did you mean decode?\nTry `bitflake --help`.\n',
    });
  });
});

describe("the guide", () => {
  test("has a row for each setting of the service, as in the flag table", () => {
    for (const row of settingRows()) expect(guide).toContain(`\n${row}\n`);
    expect(guide.match(/`BITFLAKE_\w+` \|/g)).toHaveLength(Object.keys(SERVE_SETTINGS).length);
  });

  test("names every command", () => {
    for (const { name } of COMMANDS) expect(guide).toContain(`| [\`${name}\`](#`);
  });
});

test("every command with a preset accepts those of the library", () => {
  for (const { flags } of COMMANDS) {
    if (flags.preset) expect(flags.preset).toMatchObject({ choices: Object.keys(PRESETS) });
  }
});
