// --tls-cert and --tls-key: files that are missing, and that change.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ServeContext } from "../../../src/cli/serve/stores.ts";
import { followTlsFiles, readTls } from "../../../src/cli/serve/tls.ts";
import type { TlsOptions } from "../../../src/service/index.ts";
import { cli, fakeIo } from "../cliIo.ts";

const cwd = mkdtempSync(join(tmpdir(), "bitflake-tls-"));
afterAll(() => rmSync(cwd, { recursive: true }));

function contextOf(values: { tlsCert?: string; tlsKey?: string }) {
  const { io, written } = fakeIo({ cwd });
  const sources = { tlsCert: "--tls-cert", tlsKey: "--tls-key" };
  const context = { values: { log: "json", ...values }, sources, isJson: false, io };
  return { context: context as unknown as ServeContext, stderr: () => written.stderr.join("") };
}

describe("the files of certificate and key", () => {
  test("are none without the settings, and require each other", async () => {
    expect(await readTls(contextOf({}).context)).toBeUndefined();
    for (const line of ["--tls-cert a.crt", "--tls-key a.key"]) {
      const { code, err } = await cli(`serve --store memory: ${line}`, { cwd });
      expect([code, err]).toEqual([
        2,
        expect.stringContaining("--tls-cert and --tls-key require each other"),
      ]);
    }
  });

  test("that cannot be read end the start, before a node is leased", async () => {
    const { code, err } = await cli("serve --store memory: --tls-cert none.crt --tls-key none.key", { cwd });
    expect([code, err]).toEqual([1, expect.stringContaining("--tls-cert: ENOENT")]);
  });

  test("that are no certificate end the start with the rule", async () => {
    writeFileSync(join(cwd, "no.pem"), "no PEM");
    const { code, err } = await cli("serve --store memory: --port 0 --tls-cert no.pem --tls-key no.pem", {
      cwd,
    });
    expect([code, err]).toEqual([
      2,
      expect.stringContaining("a certificate chain and its private key, in PEM"),
    ]);
  });
});

describe("files that change", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }));
  afterEach(() => void vi.useRealTimers());

  /** Lets a minute pass, and waits until the files are read. */
  async function nextMinute(isRead: () => boolean) {
    vi.advanceTimersByTime(60_000);
    await vi.waitFor(() => expect(isRead()).toBe(true), { timeout: 60_000 });
  }

  test("are given to the server once each, and errors are warned of once each", async () => {
    const write = (cert: string, key: string) => {
      writeFileSync(join(cwd, "a.crt"), cert);
      writeFileSync(join(cwd, "a.key"), key);
    };
    write("cert 1", "key 1");
    const { context, stderr } = contextOf({ tlsCert: "a.crt", tlsKey: "a.key" });
    let finished = 0;
    const load = context.io.import;
    vi.spyOn(context.io, "import").mockImplementation(async (name) => {
      const module = (await load(name)) as Record<string, unknown>;
      if (name !== "node:fs/promises") return module;
      const { readFile } = module as unknown as { readFile: (...args: unknown[]) => Promise<unknown> };
      return { ...module, readFile: (...args: unknown[]) => readFile(...args).finally(() => finished++) };
    });
    const given: TlsOptions[] = [];
    const setTls = (tls: TlsOptions) => {
      if (tls.key === "bad") throw new Error("they do not belong together");
      given.push(tls);
    };
    const stop = followTlsFiles(context, { cert: "cert 1", key: "key 1" }, { setTls });
    const readings = (count: number) => () => finished >= 2 * count;
    await nextMinute(readings(1));
    write("cert 2", "key 2");
    await nextMinute(() => given.length === 1);
    expect(given).toEqual([{ cert: "cert 2", key: "key 2" }]);
    await nextMinute(readings(3));
    write("cert 3", "bad");
    await nextMinute(() => stderr() !== "");
    await nextMinute(readings(5));
    write("cert 3", "key 3");
    await nextMinute(() => given.length === 2);
    expect(given.at(-1)).toEqual({ cert: "cert 3", key: "key 3" });
    expect(stderr()).toBe(
      '{"warning":"the server keeps its former certificate: they do not belong together"}\n',
    );
    stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});
