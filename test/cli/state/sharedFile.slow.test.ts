// The shared file: each change is atomic, although other processes change it at the same time.

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { type SharedFile, sharedFile } from "../../../src/cli/state/sharedFile.ts";
import { fakeIo } from "../cliIo.ts";

const root = mkdtempSync(join(tmpdir(), "bitflake-shared-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(root, "state-"));
});

/** Opens the file as another process does. */
const open = (given = {}): Promise<SharedFile> => sharedFile(fakeIo(given).io, folder, "value");

const add = (file: SharedFile, by = 1): number =>
  file.change<number, number>((state = 0) => [state + by, state + by]);

/** Io options with a changed file system. */
const withFiles = (change: (fs: typeof import("node:fs")) => object) => ({
  async import(name: string) {
    const module = await import(/* @vite-ignore */ name);
    return name === "node:fs" ? { ...module, ...change(module) } : module;
  },
});

describe("a shared file", () => {
  test("keeps the changes of each process, maps and bigints too", async () => {
    const [one, other] = [await open(), await open()];
    expect([add(one), add(other), add(one)]).toEqual([1, 2, 3]);
    const value = { nodes: new Map([[3, { owner: null, until: 5 }]]), last: 2n ** 62n, map: "not a map" };
    one.change(() => [value, undefined]);
    expect(other.change((state) => [state, state])).toEqual(value);
  });

  test("leaves no draft behind if it cannot be written", async () => {
    const file = await open(
      withFiles(() => ({
        writeFileSync: () => {
          throw Object.assign(new Error("no space left on device"), { code: "ENOSPC", syscall: "write" });
        },
      })),
    );
    expect(() => add(file)).toThrow("no space left on device");
    expect(readdirSync(join(folder, "value"))).toEqual([]);
  });

  test("is not written if nothing changes", async () => {
    const file = await open();
    file.change((state) => [state, "nothing"]);
    expect(readdirSync(join(folder, "value"))).toEqual([]);
    add(file);
    expect(file.change((state) => [state, state])).toBe(1);
    expect(readdirSync(join(folder, "value"))).toEqual(["1"]);
  });

  test("applies a change again if another process was faster", async () => {
    const [slow, fast] = [await open(), await open()];
    const seen: unknown[] = [];
    const result = slow.change<number, string>((state = 0) => {
      seen.push(state);
      if (seen.length < 4) add(fast, 10);
      return [state + 1, `from ${state}`];
    });
    expect([result, seen]).toEqual(["from 30", [0, 10, 20, 30]]);
    expect(add(fast, 0)).toBe(31);
  });

  test("loses no change of a process that is overtaken until its version is removed", async () => {
    const [slow, fast] = [await open(), await open()];
    for (const overtakes of [1, 20, 64, 65, 66, 100, 200]) {
      const before = add(fast, 0);
      let calls = 0;
      slow.change<number, undefined>((state = 0) => {
        if (calls++ === 0) for (let i = 0; i < overtakes; i++) add(fast);
        return [state + 1000, undefined];
      });
      expect(add(fast, 0)).toBe(before + overtakes + 1000);
    }
  });

  test("keeps at most 64 versions, and no drafts", async () => {
    const file = await open();
    for (let i = 0; i < 300; i++) add(file);
    const names = readdirSync(join(folder, "value"));
    expect(names.length).toBeLessThanOrEqual(64);
    expect(names.every((name) => /^\d+$/.test(name))).toBe(true);
  });

  test("rethrows the error of a change, and keeps its value", async () => {
    const file = await open();
    add(file);
    expect(() =>
      file.change(() => {
        throw new RangeError("no");
      }),
    ).toThrow(new RangeError("no"));
    expect(add(file)).toBe(2);
  });

  test("reads again if its version is removed while it is read", async () => {
    let isFirst = true;
    const late = withFiles((fs) => ({
      readFileSync(...args: Parameters<typeof fs.readFileSync>) {
        if (!isFirst) return fs.readFileSync(...args);
        isFirst = false;
        throw Object.assign(new Error("gone"), { code: "ENOENT", syscall: "open" });
      },
    }));
    add(await open());
    expect(add(await open(late))).toBe(2);
  });

  test("reports a damaged version by its path", async () => {
    mkdirSync(join(folder, "value"));
    writeFileSync(join(folder, "value", "7"), "{");
    const file = await open();
    expect(() => add(file)).toThrow(/value\/7 is damaged; stop all bitflake processes and remove .*value/);
  });

  test.each(["linkSync", "openSync"])("reports the remedy if %s is not possible", async (name) => {
    const failing = withFiles(() => ({
      [name]() {
        throw Object.assign(new Error("EPERM: operation not permitted"), { code: "EPERM", syscall: "link" });
      },
    }));
    const file = await open(failing);
    expect(() => add(file)).toThrow(
      /^the state folder .* cannot be used: EPERM.*BITFLAKE_STATE_DIR.*--machine-id$/,
    );
    expect(readdirSync(join(folder, "value"))).toEqual([]);
  });

  test("gives up after many attempts that other processes overtake", async () => {
    const always = withFiles(() => ({
      linkSync() {
        throw Object.assign(new Error("there is one"), { code: "EEXIST", syscall: "link" });
      },
      fsyncSync() {},
    }));
    const file = await open(always);
    expect(() => add(file)).toThrow(/other processes changed .* first, \d+ times in a row/);
  });
});
