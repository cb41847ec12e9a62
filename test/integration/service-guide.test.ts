// docs/service.md on Node: its programs, each in its own process on the built package, and each curl command with its
// answer. test/runtimes/service.mjs runs the programs for other runtimes.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, test } from "vitest";
import { decode } from "../../src/index.ts";
import { root } from "../docs/snippet.ts";
import { freePort } from "../freePort.mjs";
import { inOwnDatabase } from "./database.ts";
import { makeProject, programsOf } from "./programs.ts";

const { REDIS_URL, DATABASE_URL } = process.env;
const guide = readFileSync(join(root, "docs/service.md"), "utf8");
const programs = programsOf("docs/service.md");

/** A program as the checks see it. */
interface Program {
  /** Returns its output so far. */
  readonly said: () => string;
}

const { adapted, check, untilUp } = (await import(
  new URL("../runtimes/service-checks.mjs", import.meta.url).href
)) as {
  adapted(code: string, port: number): string;
  check(base: string, program: Program): Promise<Record<string, string>>;
  untilUp(base: string, ended: Promise<string>): Promise<void>;
};

test("the guide has exactly the programs that are tested here or in test/runtimes/service.mjs", () => {
  const here = ["server.mjs", "keys.mjs", "shared.mjs", "hono.mjs", "mount.mjs"];
  const there = ["deno.mjs", "bun.mjs", "worker.mjs"];
  expect(Object.keys(programs).sort()).toEqual([...here, ...there].sort());
});

/** A running program. */
interface Running extends Program {
  readonly base: string;
  /** Ends it by SIGTERM, as a platform does; resolves to its exit code and its error output. */
  end(): Promise<{ code: unknown; errors: string }>;
}

const children = new Set<ChildProcess>();
const folders: string[] = [];
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Starts a program of the guide on a port of its own. */
async function start(
  name: string,
  { change = (code) => code }: { change?: (code: string, port: number) => string } = {},
): Promise<Running> {
  const port = await freePort();
  const code = change(programs[name] ?? "", port).replaceAll("3000", String(port));
  const folder = makeProject({ [name]: code }, "hono", "@hono", "ioredis", "pg");
  folders.push(folder);
  const child = spawn(process.execPath, [join(folder, name)]);
  children.add(child);
  let said = "";
  let errors = "";
  child.stdout.on("data", (part) => {
    said += part;
  });
  child.stderr.on("data", (part) => {
    errors += part;
  });
  const ended = once(child, "close").then(([exit, signal]) => {
    children.delete(child);
    return exit ?? signal;
  });
  const base = `http://127.0.0.1:${port}`;
  await untilUp(
    base,
    ended.then(() => errors),
  );
  return {
    base,
    said: () => said,
    async end() {
      child.kill("SIGTERM");
      return { code: await ended, errors };
    },
  };
}

describe.each(["mount.mjs", "hono.mjs"])("%s", (name) => {
  test("answers each check, sees the client's address, and ends on SIGTERM with an open connection", async () => {
    const program = await start(name, { change: adapted });
    const outcome = await check(program.base, program);
    expect(outcome).toEqual(Object.fromEntries(Object.keys(outcome).map((title) => [title, "ok"])));
    expect(Object.keys(outcome).length).toBeGreaterThan(8);
    expect(await (await fetch(`${program.base}/hello`)).text()).toBe("hello");
    expect(await program.end()).toEqual({ code: 0, errors: "" });
  });
});

describe("the examples with curl", () => {
  const run = promisify(execFile);

  /** A command and its answer in the guide. */
  interface Example {
    readonly command: string;
    readonly answer: string;
  }

  /** The examples of each program: those between it and the next program. */
  const examples: Record<string, Example[]> = {};
  let program = "";
  for (const [, language = "", code = ""] of guide.matchAll(/^```(js|console)\n(.*?)^```/gms)) {
    if (language === "js") {
      program = /^\/\/ (\S+)/.exec(code)?.[1] ?? "";
      continue;
    }
    const commands = [...code.matchAll(/^\$ (.*)\n((?:(?!\$ ).*\n)*)/gm)];
    const found = commands.map(([, command = "", answer = ""]) => ({ command, answer }));
    examples[program] = [...(examples[program] ?? []), ...found];
  }

  /** Returns the pattern of an answer: an ID or UUID stands for any of its kind, and `…` for any text. */
  function patternOf({ command, answer }: Example): RegExp {
    const kinds = /"[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}"|"\d{10,19}"|…\n$|…/g;
    let pattern = "";
    let at = 0;
    for (const match of answer.matchAll(kinds)) {
      const [found] = match;
      const isInCommand = command.includes(found.slice(1, -1)) && found.startsWith('"');
      const kind = found.startsWith("…") ? "[^]*?" : found.includes("-") ? '"[\\da-f-]{36}"' : '"\\d{10,19}"';
      pattern += `${escaped(answer.slice(at, match.index))}${isInCommand ? escaped(found) : kind}`;
      at = match.index + found.length;
    }
    pattern += escaped(answer.slice(at));
    // The seconds that are left of a limit.
    return new RegExp(`^${pattern.replace(/;t=\d+/g, ";t=\\d+")}$`);
  }

  const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

  test("belong to two programs", () => {
    const counts = Object.entries(examples).map(([name, commands]) => [name, commands.length]);
    expect(counts).toEqual([
      ["server.mjs", expect.any(Number)],
      ["keys.mjs", expect.any(Number)],
    ]);
    expect(Object.values(examples).flat().length).toBeGreaterThan(20);
  });

  test("match an answer of the same kind, and no other answer", () => {
    const example = {
      command: "curl …/decode/911780371413233664",
      answer: '{"a":"911780371413233664","b":"1111111111","c":…}\n',
    };
    const pattern = patternOf(example);
    expect('{"a":"911780371413233664","b":"2222222222","c":5}\n').toMatch(pattern);
    expect('{"a":"911780371413233665","b":"2222222222","c":5}\n').not.toMatch(pattern);
    expect('{"a":"911780371413233664","b":"222","c":5}\n').not.toMatch(pattern);
  });

  test.each(Object.keys(examples))("of %s give the answers of the guide", async (name) => {
    const { base, end, said } = await start(name);
    const port = new URL(base).port;
    for (const example of examples[name] ?? []) {
      const command = example.command.replaceAll("3000", port);
      const { stdout } = await run("bash", ["-c", command], { cwd: folders.at(-1) as string });
      const given = stdout.replaceAll("\r", "").replace(/([^\n])$/, "$1\n");
      expect(given, example.command).toMatch(patternOf(example));
    }
    if (name !== "keys.mjs") return;
    expect(await end()).toEqual({ code: 0, errors: "" });
    const lines = said().trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({
        route: "/generate_uuid",
        status: 429,
        client: "orders",
        code: "ERR_RATE_LIMITED",
      }),
    );
    expect(said()).not.toContain("an-example");
  });
});

describe.skipIf(!REDIS_URL || !DATABASE_URL)("shared.mjs", () => {
  const name = `guide ${process.pid}`;

  test("in two processes has two nodes, one counter and one pool", async () => {
    await inOwnDatabase(async () => {
      const change = (code: string) => code.replace("createService({", `createService({ name: "${name}",`);
      const two = [await start("shared.mjs", { change }), await start("shared.mjs", { change })];
      const ask = async (base: string, path: string, options?: RequestInit) => {
        const response = await fetch(`${base}${path}`, options);
        expect(response.status).toBe(200);
        return response.json();
      };
      const nodes = await Promise.all(
        two.map(async ({ base }) => {
          const { id } = (await ask(base, "/generate_snowflake_id")) as { id: string };
          const { datacenterId, machineId } = decode(id, "twitter");
          return datacenterId * 32 + machineId;
        }),
      );
      expect(nodes.sort()).toEqual([0, 1]);

      const counts = await Promise.all(
        Array.from({ length: 40 }, async (_, index) => {
          const { base } = two[index % 2] as Running;
          return ((await ask(base, "/generate_counter_id")) as { id: string }).id;
        }),
      );
      expect(counts.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, at) => at + 1));

      const issue = async ({ base }: Running, key: string) => {
        const headers = { "idempotency-key": key };
        const answer = await ask(base, "/v1/idgenerator/farmer/id", { method: "POST", headers });
        return (answer as { response: { id: string } }).response.id;
      };
      // Both processes issue for the same key at once, twenty times.
      for (let round = 0; round < 20; round++) {
        const ids = await Promise.all(two.map((one) => issue(one, `form-${round}`)));
        expect(new Set(ids).size).toBe(1);
      }
      for (const one of two) expect(await one.end()).toEqual({ code: 0, errors: "" });
    });
  });
});
