// The worker processes of a run, and requests to them: to each in turn, as a load balancer sends them.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The build under test: SERVICE_DIST, or the build of this repository. */
const dist = process.env.SERVICE_DIST ?? fileURLToPath(new URL("../../../dist", import.meta.url));

const program = fileURLToPath(new URL("process.mjs", import.meta.url));

/** The settings of a worker process. */
export interface Plan {
  /** The URL of the Redis. Without it, PostgreSQL is the only store. */
  readonly redis?: string;
  readonly postgres: string;
  readonly prefix: string;
  readonly timeoutMs?: number;
  /** Whether `start` is called before it listens. Default `true`; otherwise the first request starts it. */
  readonly isStarted?: boolean;
  /** The options of `createService`, without the stores. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** How a process exited. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Its standard error output. */
  readonly stderr: string;
  /** The numbers of the requests in flight at SIGTERM. */
  readonly begun: readonly number[];
  /** The numbers of the requests that arrived after SIGTERM. */
  readonly late: readonly number[];
}

/** A process that serves. */
export interface Worker {
  readonly name: string;
  readonly url: string;
  readonly child: ChildProcess;
  readonly ended: Promise<Ending>;
}

/** The result of a request: a response, or the code of the failure. */
export interface Outcome {
  readonly number: number;
  readonly worker: Worker;
  /** 0 without a response. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly failure: string | undefined;
}

/** A request to a worker. */
export interface WorkerRequest {
  readonly method?: "GET" | "POST";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The longest time of a response, whatever happens to a store. A request that takes longer hangs. */
const HANGS_MS = 20_000;

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

let numbers = 0;

/** Starts a process. Resolves when it listens. */
async function start(name: string, plan: Plan): Promise<Worker> {
  const settings = JSON.stringify({ ...plan, dist: `${pathToFileURL(dist).href}/` });
  const child = fork(program, [settings], { execArgv: [], stdio: ["ignore", "ignore", "pipe", "ipc"] });
  running.add(child);
  let last = { begun: [], late: [] };
  const stderr = child.stderr ? text(child.stderr) : Promise.resolve("");
  const ended = once(child, "exit").then(async ([code, signal]): Promise<Ending> => {
    running.delete(child);
    return { code, signal, stderr: await stderr, ...last };
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.on("message", (message: { url: string } | typeof last) => {
      if ("url" in message) resolve(message.url);
      else last = message;
    });
    void ended.then(({ stderr }) => reject(new Error(`a service exited at once: ${stderr}`)));
  });
  return { name, url, child, ended };
}

/** Worker processes that get requests in turn. */
export class WorkerPool {
  readonly #plan: Plan;
  readonly #agent = new Agent({ keepAlive: true });
  /** The workers that get requests. */
  readonly rotation: Worker[] = [];
  readonly #all: Worker[] = [];
  #turn = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** Starts workers, and adds them to the rotation. */
  async start(...names: string[]): Promise<Worker[]> {
    const workers = await Promise.all(names.map((name) => start(name, this.#plan)));
    this.#all.push(...workers);
    this.rotation.push(...workers);
    return workers;
  }

  /** Removes a worker from the rotation. */
  remove(worker: Worker): void {
    this.rotation.splice(this.rotation.indexOf(worker), 1);
  }

  /** Sends SIGTERM to a worker, after removing it from the rotation. Requests may be in flight. */
  end(worker: Worker): Promise<Ending> {
    if (this.rotation.includes(worker)) this.remove(worker);
    worker.child.kill("SIGTERM");
    return worker.ended;
  }

  /** Kills all workers. */
  async stop(): Promise<void> {
    for (const { child } of this.#all) child.kill("SIGKILL");
    await Promise.all(this.#all.map(({ ended }) => ended));
    this.#agent.destroy();
  }

  /** Sends a request to the next worker. It never rejects. */
  send(request: WorkerRequest): Promise<Outcome> {
    const worker = this.rotation[this.#turn++ % this.rotation.length] as Worker;
    return this.sendTo(worker, request);
  }

  /** Sends a request to a worker. It never rejects. */
  sendTo(worker: Worker, { method = "GET", path, headers = {} }: WorkerRequest): Promise<Outcome> {
    const number = ++numbers;
    return new Promise((resolve) => {
      const fail = (error: Error & { code?: string }) => {
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
            fail,
          );
        },
      );
      sent.once("timeout", () => sent.destroy(Object.assign(new Error("it hangs"), { code: "HANGS" })));
      sent.once("error", fail);
      sent.end();
    });
  }
}
