// The processes of a run, and how they are asked: each in turn, as a load balancer does it.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The build that is tried: another one where SERVICE_DIST says so. */
const dist = process.env.SERVICE_DIST ?? fileURLToPath(new URL("../../../dist", import.meta.url));

const program = fileURLToPath(new URL("process.mjs", import.meta.url));

/** What each process of a run is told. */
export interface Plan {
  /** Where the Redis is; without one, PostgreSQL is for everything. */
  readonly redis?: string;
  readonly postgres: string;
  readonly prefix: string;
  readonly timeoutMs?: number;
  /** Whether `start` is called before it listens. Default yes; otherwise the first request begins it. */
  readonly isStarted?: boolean;
  /** Those of `createService`, but the stores. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** What a process says of its end. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What it complained of. */
  readonly complaint: string;
  /** The numbers of the requests that were under way when it was told to end. */
  readonly begun: readonly number[];
  /** The numbers of those that came after that. */
  readonly late: readonly number[];
}

/** A process that serves. */
export interface Worker {
  readonly name: string;
  readonly url: string;
  readonly child: ChildProcess;
  readonly ended: Promise<Ending>;
}

/** What a client gets: an answer, or the code of what went wrong. */
export interface Outcome {
  readonly number: number;
  readonly worker: Worker;
  /** 0 if there is no answer. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly failure: string | undefined;
}

/** What is asked. */
export interface Question {
  readonly method?: "GET" | "POST";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Longer than any answer may take, whatever happens to a store: a call that takes so long hangs. */
const HANGS_MS = 20_000;

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

let numbers = 0;

/** Starts a process, and resolves when it listens. */
async function start(name: string, plan: Plan): Promise<Worker> {
  const told = JSON.stringify({ ...plan, dist: `${pathToFileURL(dist).href}/` });
  const child = fork(program, [told], { execArgv: [], stdio: ["ignore", "ignore", "pipe", "ipc"] });
  running.add(child);
  let last = { begun: [], late: [] };
  const complaint = child.stderr ? text(child.stderr) : Promise.resolve("");
  const ended = once(child, "exit").then(async ([code, signal]): Promise<Ending> => {
    running.delete(child);
    return { code, signal, complaint: await complaint, ...last };
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.on("message", (message: { url: string } | typeof last) => {
      if ("url" in message) resolve(message.url);
      else last = message;
    });
    void ended.then(({ complaint }) => reject(new Error(`a service ended at once: ${complaint}`)));
  });
  return { name, url, child, ended };
}

/** The processes that are asked in turn. */
export class Crew {
  readonly #plan: Plan;
  readonly #agent = new Agent({ keepAlive: true });
  /** Those that are asked. */
  readonly rotation: Worker[] = [];
  readonly #all: Worker[] = [];
  #turn = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** Starts so many, and has them asked. */
  async start(...names: string[]): Promise<Worker[]> {
    const workers = await Promise.all(names.map((name) => start(name, this.#plan)));
    this.#all.push(...workers);
    this.rotation.push(...workers);
    return workers;
  }

  /** Asks one no more. */
  takeOut(worker: Worker): void {
    this.rotation.splice(this.rotation.indexOf(worker), 1);
  }

  /** Ends one in good order: first it is asked no more, and at once it is told, whatever is under way. */
  end(worker: Worker): Promise<Ending> {
    if (this.rotation.includes(worker)) this.takeOut(worker);
    worker.child.kill("SIGTERM");
    return worker.ended;
  }

  /** Ends all of them, in whatever way. */
  async stop(): Promise<void> {
    for (const { child } of this.#all) child.kill("SIGKILL");
    await Promise.all(this.#all.map(({ ended }) => ended));
    this.#agent.destroy();
  }

  /** Asks whose turn it is. It never rejects. */
  ask(question: Question): Promise<Outcome> {
    const worker = this.rotation[this.#turn++ % this.rotation.length] as Worker;
    return this.askOf(worker, question);
  }

  /** Asks a process. It never rejects. */
  askOf(worker: Worker, { method = "GET", path, headers = {} }: Question): Promise<Outcome> {
    const number = ++numbers;
    return new Promise((resolve) => {
      const failed = (error: Error & { code?: string }) => {
        const failure = error.code ?? error.message;
        resolve({ number, worker, status: 0, headers: {}, text: "", failure });
      };
      const sent = request(
        `${worker.url}${path}`,
        { method, agent: this.#agent, timeout: HANGS_MS, headers: { ...headers, "x-number": number } },
        (response) => {
          const { statusCode: status = 0, headers } = response;
          text(response).then(
            (text) => resolve({ number, worker, status, headers, text, failure: undefined }),
            failed,
          );
        },
      );
      sent.once("timeout", () => sent.destroy(Object.assign(new Error("it hangs"), { code: "HANGS" })));
      sent.once("error", failed);
      sent.end();
    });
  }
}
