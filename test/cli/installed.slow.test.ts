// The commands of the README and of docs/command-line.md, run in a folder where the packed package is installed. Commands that
// require a server run in test/integration.

import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../freePort.mjs";
import { commandsIn, isBitflake, typesFile } from "./examples.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "bitflake-installed-"));

/** The environment of a user, without the variables of npm and vitest. */
const env: Record<string, string> = {
  PATH: [join(folder, "node_modules", ".bin"), process.env.PATH].join(delimiter),
  HOME: join(folder, "home"),
  // The cache of this machine; nothing is downloaded.
  npm_config_cache: process.env.npm_config_cache ?? join(process.env.HOME ?? tmpdir(), ".npm"),
  npm_config_offline: "true",
};

/** The options of a command. Some write a million lines. */
const options = { cwd: folder, env, maxBuffer: 2 ** 26 };

function npm(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync("npm", args, { cwd: folder, encoding: "utf8", env });
  if (status !== 0) throw new Error(`npm ${args.join(" ")}:\n${stdout}${stderr}`);
  return stdout;
}

beforeAll(() => {
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "user", private: true }));
  const [packed] = JSON.parse(npm("pack", root, "--json", "--ignore-scripts")) as { filename: string }[];
  npm("install", "--no-audit", "--no-fund", `./${packed?.filename}`);
  writeFileSync(join(folder, "types.json"), typesFile());
});

const services = new Set<ChildProcess>();
/** Stops a service with the processes that the shell and npx started for it, and waits until all have closed their output. */
async function end(service: ChildProcess): Promise<void> {
  services.delete(service);
  if (service.exitCode !== null || service.signalCode !== null) return;
  const closed = once(service, "close");
  process.kill(-(service.pid as number), "SIGTERM");
  await closed;
}
afterEach(async () => {
  for (const service of services) await end(service);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Starts a service. Resolves to its start report when it is ready. */
async function serve(run: string): Promise<{ report: string; service: ChildProcess }> {
  const service = spawn("sh", ["-c", run], { cwd: folder, env, detached: true });
  services.add(service);
  let [report, errors] = ["", ""];
  service.stderr.on("data", (part) => {
    errors += part;
  });
  await new Promise<void>((resolve, reject) => {
    service.stdout.on("data", (part) => {
      report += part;
      if (/^types: /m.test(report)) resolve();
    });
    service.once("close", (code) => reject(new Error(`${run} ended with ${code}: ${report}${errors}`)));
  });
  return { report, service };
}

const pages = ["README.md", "docs/command-line.md"].map((page) => ({
  page,
  commands: commandsIn(page).filter(isBitflake),
}));

/** Returns whether a command requires something that is not installed here: a server and its client, or an SQLite. */
const isElsewhere = ({ run }: { run: string }): boolean =>
  /\$\w+_URL|--config/.test(run) || (run.includes("sqlite:") && !isBuiltin("node:sqlite"));

describe.each(pages)("the commands of $page", ({ commands }) => {
  const here = commands.filter((command) => !isElsewhere(command));

  test("are found on the page", () => {
    expect(here.length).toBeGreaterThan(3);
  });

  test.each(here.filter(({ run }) => !/bitflake serve/.test(run)))("$run", async ({ run, output }) => {
    const { code, stdout } = await promisify(execFile)("sh", ["-c", run], options).then(
      ({ stdout }) => ({ code: 0, stdout }),
      (error) => error as { code: number; stdout: string },
    );
    // These checks report an invalid ID.
    expect(code).toBe(/numeric check.*(6786305283|5138)/.test(run) ? 1 : 0);
    if (output) expect(stdout).toBe(output);
    else expect(stdout).not.toBe("");
  });

  test.each(here.filter(({ run }) => /bitflake serve/.test(run)))("$run", async ({ run }) => {
    const { report, service } = await serve(`${run} --port 0`);
    const url = /http:\S+/.exec(report)?.[0];
    expect(await (await fetch(`${url}/generate_snowflake_id`)).json()).toEqual({ id: expect.any(String) });
    await end(service);
  });
});

/** Returns a value with each text and number replaced by its type. */
function typesOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(typesOf);
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, typesOf(part)]));
}

test("the README's curl commands get responses of the form that is shown", async () => {
  const command = pages[0]?.commands.find(({ run }) => /bitflake serve --types/.test(run))?.run;
  const port = await freePort();
  await serve(`${command} --port ${port}`);
  const requests = commandsIn("README.md").filter(({ run }) => run.startsWith("curl "));
  expect(requests.length).toBeGreaterThan(2);
  for (const { run, output } of requests) {
    const { stdout } = await promisify(execFile)(
      "sh",
      ["-c", run.replace("localhost:3000", `127.0.0.1:${port}`)],
      options,
    );
    expect(typesOf(JSON.parse(stdout))).toEqual(typesOf(JSON.parse(output)));
  }
});
