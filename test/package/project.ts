// A user's project with nothing but the packed package, installed by npm.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Creates the project's folder and returns its path. */
export const makeProject = (): string => mkdtempSync(join(tmpdir(), "bitflake-user-"));

/** Runs a command in a project and returns its output. */
export function runIn(project: string, command: string, ...args: string[]): string {
  // Without the variables that the npm that runs these tests sets for its scripts.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("npm_")));
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: project, encoding: "utf8", env });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}:\n${stdout}${stderr}`);
  return stdout;
}

/** Packs the last build and installs it. */
export function install(project: string): void {
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "user", private: true }));
  const packed = JSON.parse(runIn(project, "npm", "pack", root, "--json", "--ignore-scripts")) as {
    filename: string;
  }[];
  const tarball = `./${packed[0]?.filename}`;
  runIn(project, "npm", "install", "--offline", "--no-audit", "--no-fund", tarball);
  rmSync(join(project, tarball));
}
