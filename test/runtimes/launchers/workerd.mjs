// workerd, the runtime of Cloudflare Workers.

import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { start } from "../program.mjs";
import { installed } from "../workspace.mjs";

const HOST = "hosts/worker.mjs";
const BINDINGS = '(name = "FLAKEID_DATACENTER_ID", text = "2"), (name = "FLAKEID_MACHINE_ID", text = "9")';

/** Today's workers have their variables in `process.env` too; older workers, and workers that opt out, have no process. */
const WORKERS = {
  handler: `bindings = [${BINDINGS}]`,
  "module scope": "",
  "no process": 'compatibilityFlags = ["no_nodejs_compat_v2"]',
};

async function configOf(suite, folder) {
  const filesIn = async (part) => (await readdir(join(folder, part))).map((file) => `${part}/${file}`);
  const files = [...(await filesIn("contract")), ...(await filesIn("node_modules/bitflake/dist"))];
  // The first module is the worker.
  const modules = [HOST, ...files.filter((file) => /\.m?js$/.test(file))].map(
    (file) => `(name = "${file}", esModule = embed "${file}")`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  compatibilityDate = "2026-11-01",
  modules = [${modules}],
  ${WORKERS[suite]}
);`;
}

/** Returns the port, which workerd writes as JSON to a pipe of its own. */
const portOf = (control) =>
  new Promise((resolve) => {
    control.on("data", (line) => resolve(JSON.parse(line).port));
  });

export const workerd = {
  name: "workerd",
  suites: Object.keys(WORKERS),
  async runSuite(suite, { folder }) {
    const config = join(folder, "worker.capnp");
    await writeFile(config, await configOf(suite, folder));
    const program = start(
      installed("@cloudflare/workerd-linux-64/bin/workerd"),
      ["serve", config, "--control-fd=3"],
      { stdio: ["ignore", "pipe", "pipe", "pipe"] },
    );
    try {
      const port = await Promise.race([portOf(program.child.stdio[3]), program.ended]);
      const response = await Promise.race([
        fetch(`http://127.0.0.1:${port}/${encodeURI(suite)}`),
        program.ended,
      ]);
      return await response.json();
    } finally {
      await program.stop();
    }
  },
};
