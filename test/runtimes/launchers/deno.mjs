// Deno: in a project with node_modules, with and without the permission to read variables; from a registry; on the sources.

import { cp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../program.mjs";
import { openRegistry } from "../registry.mjs";
import { installed } from "../workspace.mjs";
import { runInProcess } from "./process.mjs";

const program = installed("@deno/linux-x64-glibc/deno");

const suites = {
  process: (workspace) => runInProcess([program, "run", "--allow-read", "--allow-env"], "process", workspace),

  "denied environment": (workspace) =>
    runInProcess([program, "run", "--allow-read", "--deny-env"], "denied environment", workspace),

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

  /**
   * Checks a copy of the repository's sources, for JSR: the npm package lacks those of the service, and the repository has a
   * tsconfig.json that a user of JSR does not have.
   */
  async sources({ folder }) {
    const sources = join(folder, "sources");
    await cp(fileURLToPath(new URL("../../../src", import.meta.url)), sources, { recursive: true });
    const entries = (await readdir(sources, { recursive: true })).filter((path) =>
      /(^|\/)index\.ts$/.test(path),
    );
    if (!entries.includes("index.ts")) throw new Error(`no index.ts among ${entries}`);
    await run(program, ["check", "--no-config", ...entries], {
      cwd: sources,
      env: { DENO_NO_PACKAGE_JSON: "1" },
    });
    return { "deno check of the sources": "ok" };
  },
};

export const deno = {
  name: "deno",
  suites: Object.keys(suites),
  runSuite: (suite, workspace) => suites[suite](workspace),
};
