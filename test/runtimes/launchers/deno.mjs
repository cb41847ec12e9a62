// Deno: in a project with node_modules, with and without permission to read variables; from a registry; on the sources.

import { cp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../program.mjs";
import { openRegistry } from "../registry.mjs";
import { installed } from "../workspace.mjs";
import { playInProcess } from "./process.mjs";

const program = installed("@deno/linux-x64-glibc/deno");

const acts = {
  process: (workspace) =>
    playInProcess([program, "run", "--allow-read", "--allow-env"], "process", workspace),

  "denied environment": (workspace) =>
    playInProcess([program, "run", "--allow-read", "--deny-env"], "denied environment", workspace),

  async npm(workspace) {
    const registry = await openRegistry(workspace);
    try {
      const printed = await run(program, ["run", "--node-modules-dir=none", "hosts/npm.mjs"], {
        cwd: workspace.folder,
        env: {
          NPM_CONFIG_REGISTRY: registry.address,
          DENO_DIR: join(workspace.folder, "deno"),
          DENO_NO_PACKAGE_JSON: "1",
        },
      });
      if (!registry.served()) throw new Error("the package did not come from the registry");
      return JSON.parse(printed);
    } finally {
      registry.close();
    }
  },

  /** The repository's, for JSR: the npm package has no sources of the service. Away from the project's tsconfig.json. */
  async sources({ folder }) {
    const sources = join(folder, "sources");
    await cp(fileURLToPath(new URL("../../../src", import.meta.url)), sources, { recursive: true });
    const doors = (await readdir(sources, { recursive: true })).filter((path) =>
      /(^|\/)index\.ts$/.test(path),
    );
    if (!doors.includes("index.ts")) throw new Error(`no index.ts among ${doors}`);
    await run(program, ["check", "--no-config", ...doors], {
      cwd: sources,
      env: { DENO_NO_PACKAGE_JSON: "1" },
    });
    return { "deno check of the sources": "ok" };
  },
};

export const deno = {
  name: "deno",
  scenes: Object.keys(acts),
  play: (scene, workspace) => acts[scene](workspace),
};
