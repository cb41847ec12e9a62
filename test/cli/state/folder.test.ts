// Where the state folder is, on each system.

import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { stateFolder } from "../../../src/cli/state/folder.ts";
import { fakeIo } from "../cliIo.ts";

const root = mkdtempSync(join(tmpdir(), "bitflake-state-folder-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The folder on a system, for whoever has such variables; `~` is a home. */
async function folderOn(platform: string, given: Record<string, string>, cwd = root): Promise<string> {
  const at = (path: string) => path.replace("~", root);
  const env = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, at(value)]));
  const { io } = fakeIo({
    env: { BITFLAKE_STATE_DIR: "", ...env },
    cwd,
    async import(name) {
      const module = await import(/* @vite-ignore */ name);
      return name === "node:os" ? { platform: () => platform, homedir: () => join(root, "passwd") } : module;
    },
  });
  const folder = await stateFolder(io);
  expect(existsSync(folder)).toBe(true);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  return folder.replace(root, "~");
}

test.each([
  ["linux", { HOME: "~/a" }, "~/a/.local/state/bitflake"],
  ["linux", { HOME: "~/a", XDG_STATE_HOME: "~/b" }, "~/b/bitflake"],
  ["freebsd", {}, "~/passwd/.local/state/bitflake"],
  ["darwin", { HOME: "~/a" }, "~/a/Library/Application Support/bitflake"],
  ["darwin", {}, "~/passwd/Library/Application Support/bitflake"],
  ["win32", { LOCALAPPDATA: "~/c" }, "~/c/bitflake"],
  ["win32", {}, "~/passwd/AppData/Local/bitflake"],
  ["win32", { BITFLAKE_STATE_DIR: "~/d/e" }, "~/d/e"],
  ["linux", { HOME: "~/a", XDG_STATE_HOME: "~/b", BITFLAKE_STATE_DIR: "own" }, "~/own"],
])("on %s, with %j, it is %s", async (platform, env, folder) => {
  expect(await folderOn(platform, env)).toBe(folder);
});
