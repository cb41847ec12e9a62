// The state folder: its path on each system, its mode, and its errors.

import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { makeFolder, stateFolder } from "../../../src/cli/state/folder.ts";
import { fakeIo } from "../cliIo.ts";

const root = mkdtempSync(join(tmpdir(), "bitflake-state-folder-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Returns the folder on a system with variables. `~` stands for a home. */
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
])("is on %s, with %j, %s", async (platform, env, folder) => {
  expect(await folderOn(platform, env)).toBe(folder);
});

/** The error of a state folder at a path. */
const errorAt = async (path: string): Promise<string> => {
  const { io } = fakeIo({ env: { BITFLAKE_STATE_DIR: path } });
  return stateFolder(io).then(
    () => "none",
    (error: Error) => error.message,
  );
};
const remedy =
  "set BITFLAKE_STATE_DIR to a writable folder, or give this process its own node with --machine-id";

// The recursive mkdir of Node never returns for a folder in /proc.
test.skipIf(!existsSync("/proc/self"))("fails at once in /proc, where no folder can be created", async () => {
  const message = await errorAt("/proc/bitflake/state");
  expect(message).toMatch(/^the state folder \/proc\/bitflake\/state cannot be used: ENOENT/);
  expect(message.endsWith(remedy)).toBe(true);
});

test("fails where a file has its name or the name of a parent", async () => {
  writeFileSync(join(root, "file"), "");
  for (const path of [join(root, "file"), join(root, "file", "state")]) {
    const message = await errorAt(path);
    expect(message).toMatch(/cannot be used: (EEXIST|ENOTDIR)/);
    expect(message.endsWith(remedy)).toBe(true);
  }
});

test("keeps the mode of a folder that exists, and creates all others for the user alone", async () => {
  const parent = join(root, "shared");
  mkdirSync(parent);
  chmodSync(parent, 0o755);
  await makeFolder(fakeIo().io, join(parent, "a", "b"));
  const modes = ["", "a", "a/b"].map((name) => statSync(join(parent, name)).mode & 0o777);
  expect(modes).toEqual([0o755, 0o700, 0o700]);
});

test("accepts a folder that another process creates meanwhile", async () => {
  const folder = join(root, "raced");
  const { io } = fakeIo({
    async import(name) {
      const module = await import(/* @vite-ignore */ name);
      if (name !== "node:fs") return module;
      const mkdirSync = (path: string, options: object) => {
        module.mkdirSync(path, options);
        return module.mkdirSync(path, options);
      };
      return { ...module, mkdirSync };
    },
  });
  await makeFolder(io, folder);
  expect(existsSync(folder)).toBe(true);
});
