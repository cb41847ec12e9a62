// Workspace of the runtimes: a folder outside the repository with the packed package, installed as in a user's project.

import { rmSync } from "node:fs";
import { cp, mkdtemp, readFile, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./program.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../..", import.meta.url));

const ageOf = (path) =>
  stat(join(here, path)).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );

/** Installs the runtimes, a gigabyte, unless those of the lock file are installed. */
export async function installRuntimes() {
  if ((await ageOf("node_modules/.package-lock.json")) >= (await ageOf("package-lock.json"))) return;
  console.log("installing the runtimes");
  await run("npm", ["ci", "--ignore-scripts", "--no-bin-links", "--no-audit", "--no-fund"], {
    cwd: here,
    limitMs: 600_000,
  });
}

/** Returns the path of a file in the runtimes' own node_modules. */
export const installed = (path) => join(here, "node_modules", path);

/** Packs the package and installs it beside the contract, in a folder that is deleted when this process ends. */
export async function makeWorkspace() {
  const folder = await mkdtemp(join(tmpdir(), "bitflake-runtimes-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 20 }));
  await run("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: root });
  const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const tarball = join(folder, `${manifest.name}-${manifest.version}.tgz`);
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", tarball], { cwd: folder });
  for (const part of ["contract", "hosts"])
    await cp(join(here, part), join(folder, part), { recursive: true });
  return { folder, manifest, tarball };
}
