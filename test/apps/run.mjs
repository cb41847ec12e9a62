// The apps, on the packed package: `npm run test:apps`, or `node test/apps/run.mjs nest trpc` for some of them, after a build and
// `npm ci --ignore-scripts --prefix test/apps`. Each is compiled with the others, and its script `test` is run in dist/.

import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../freePort.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../..", import.meta.url));
const modules = join(here, "node_modules");
const dist = join(here, "dist");
/** Which only a hang reaches. */
const LIMIT_MS = 300_000;

/** Vitest is that of the repository, because it would be a third of the install. */
const path = [
  join(modules, ".bin"),
  join(root, "node_modules/.bin"),
  dirname(process.execPath),
  process.env.PATH,
];
const env = {
  ...process.env,
  PATH: path.join(delimiter),
  FLAKEID_DATACENTER_ID: "1",
  FLAKEID_MACHINE_ID: "3",
};

/** Runs a command and ends all processes that it has started; rejects with its output if it fails. */
async function run(command, args, options = {}) {
  const child = spawn(command, args, { cwd: here, env, detached: true, timeout: LIMIT_MS, ...options });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const end = () => endGroup(child.pid);
  child.once("exit", end);
  process.once("exit", end);
  const [code, signal] = await once(child, "close");
  process.off("exit", end);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${signal ?? code}\n${output}`);
}

function endGroup(pid) {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // None is left.
    if (error.code !== "ESRCH") throw error;
  }
}

/** Packs the package and puts it where an install would, with its program. */
async function install() {
  const folder = mkdtempSync(join(tmpdir(), "bitflake-apps-"));
  await run("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder], { cwd: root });
  const target = join(modules, "bitflake");
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target);
  const [tarball] = readdirSync(folder);
  await run("tar", ["-xzf", join(folder, tarball), "-C", target, "--strip-components", "1"]);
  rmSync(folder, { recursive: true });
  const { bin } = JSON.parse(readFileSync(join(target, "package.json"), "utf8"));
  for (const [name, file] of Object.entries(bin)) {
    rmSync(join(modules, ".bin", name), { force: true });
    symlinkSync(join("../bitflake", file), join(modules, ".bin", name));
  }
}

/** Puts beside the compiled files of an app its package.json and its own packages, if other versions are beside them. */
function complete(app) {
  mkdirSync(join(dist, app), { recursive: true });
  cpSync(join(here, app, "package.json"), join(dist, app, "package.json"));
  const own = join(here, app, "node_modules");
  if (existsSync(own)) symlinkSync(own, join(dist, app, "node_modules"));
}

/** Turns `expression; // => value` into a comparison, in the examples that the apps have from the guides. */
function compare(app) {
  for (const name of readdirSync(join(dist, app)).filter((file) => file.endsWith(".js"))) {
    const file = join(dist, app, name);
    const code = readFileSync(file, "utf8");
    const compared = code.replace(
      /^( *)(.+?);? \/\/ => (.+)$/gm,
      (_all, indent, expression, value) => `${indent}__same(${expression}, ${JSON.stringify(value)});`,
    );
    if (compared === code) continue;
    const imports = `import { equal } from "node:assert/strict";\nimport { inspect } from "node:util";\n`;
    writeFileSync(
      file,
      `${imports}const __same = (actual, shown) => equal(inspect(actual), shown);\n${compared}`,
    );
  }
}

/** Starts a Redis without data, for the apps that need one. */
async function startRedis() {
  const port = await freePort();
  const server = spawn(
    "redis-server",
    ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
    {
      stdio: "ignore",
    },
  );
  process.once("exit", () => server.kill());
  await once(server, "spawn");
  return `redis://127.0.0.1:${port}`;
}

// Without them the processes that were started would stay after Ctrl-C.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

let passed = 0;
const failures = [];

/** Runs a check and prints its time. */
async function check(title, action) {
  const start = performance.now();
  try {
    await action();
    passed++;
    console.log(`${title}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  } catch (error) {
    failures.push(title);
    console.log(`FAILED: ${title}: ${((performance.now() - start) / 1000).toFixed(1)} s: ${error.message}`);
  }
}

const apps = readdirSync(here).filter((name) => existsSync(join(here, name, "package.json")));
const wanted = process.argv.length > 2 ? process.argv.slice(2) : apps;
const unknown = wanted.filter((name) => !apps.includes(name));
if (unknown.length > 0) throw new Error(`unknown app ${unknown}: use ${apps}`);

await check("the package is packed", install);
rmSync(dist, { recursive: true, force: true });
await check("the apps compile, strict and with skipLibCheck: false", () => run("tsc", ["--project", "."]));
await check("the bundled apps compile", () => run("tsc", ["--project", "tsconfig.bundled.json"]));
for (const app of apps) {
  complete(app);
  compare(app);
}

const redisUrl = await startRedis();
const queue = [...wanted];
const worker = async () => {
  for (let app = queue.shift(); app !== undefined; app = queue.shift()) {
    const { scripts } = JSON.parse(readFileSync(join(here, app, "package.json"), "utf8"));
    const own = { ...env, PORT: `${await freePort()}`, REDIS_URL: redisUrl };
    const cwd = join(dist, app);
    await check(app, () => run("sh", ["-c", `exec ${scripts.test}`], { cwd, env: own }));
  }
};
await Promise.all(Array.from({ length: availableParallelism() }, worker));

console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length > 0 ? 1 : 0);
