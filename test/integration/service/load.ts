// Load: clients that send requests of all kinds to the workers, and a record of the responses.

import { setTimeout } from "node:timers/promises";
import type { Outcome, WorkerPool, WorkerRequest } from "./workers.ts";

/** An issued ID, with the API key, the type and the idempotency key that it was issued for. */
interface Issue {
  readonly apiKey: string;
  readonly type: string;
  readonly key: string;
  readonly id: string;
}

/** The types of numeric IDs. */
export const TYPES = { farmer: { length: 10 }, card: { length: 12, rules: "mosip" } };

/** The API keys of the clients. */
export const API_KEYS = ["the-key-of-the-first", "the-key-of-the-second"];

/** Returns the request that issues a numeric ID. */
export function issueRequest({ apiKey, type, key }: Omit<Issue, "id">): WorkerRequest {
  const headers = { authorization: `Bearer ${apiKey}`, "idempotency-key": key };
  return { method: "POST", path: `/v1/idgenerator/${type}/id`, headers };
}

const between = (least: number, most: number) => least + Math.floor(Math.random() * (most - least + 1));

const oneOf = <T>(choices: readonly T[]): T => choices[between(0, choices.length - 1)] as T;

/** Sends load, and records the responses. */
export class Load {
  /** All IDs by kind. None may repeat. */
  readonly ids: Readonly<Record<"snowflake" | "counter" | "uuid" | "numeric", string[]>> = {
    snowflake: [],
    counter: [],
    uuid: [],
    numeric: [],
  };
  /** The IDs issued for a key, and acknowledged. */
  readonly issues: Issue[] = [];
  /** Keys whose replay had another ID. */
  readonly changed: string[] = [];
  /** The counts of responses by status and error code. */
  readonly statuses = new Map<string, number>();
  /** The requests without a response. */
  readonly failures: Outcome[] = [];
  /** The numbers of the answered requests. */
  readonly answered = new Set<number>();
  /** The number of replays. */
  replays = 0;
  #isOver = false;
  #keys = 0;
  readonly #workers: WorkerPool;

  constructor(workers: WorkerPool) {
    this.#workers = workers;
  }

  /** Runs this many clients until `end` is called. */
  async run(clients: number): Promise<void> {
    const client = async () => {
      while (!this.#isOver) await this.#sendAny();
    };
    await Promise.all(Array.from({ length: clients }, client));
  }

  /** Ends the load. Requests in flight finish. */
  end(): void {
    this.#isOver = true;
  }

  /** Returns the count of a status and code. */
  count(status: string): number {
    return this.statuses.get(status) ?? 0;
  }

  /** The IDs that repeat. */
  get repeats(): string[] {
    return Object.values(this.ids).flatMap((ids) => {
      const seen = new Set<string>();
      return ids.filter((id) => seen.has(id) || !seen.add(id));
    });
  }

  /** Sends a request to the next worker, and records the outcome. Resolves to the body of a 200. */
  async #send(request: WorkerRequest): Promise<unknown> {
    const outcome = await this.#workers.send(request);
    const { number, status, text, failure } = outcome;
    if (failure !== undefined) {
      this.failures.push(outcome);
      return undefined;
    }
    this.answered.add(number);
    const body = JSON.parse(text);
    const code = body.code ?? body.errors?.[0]?.errorCode;
    const name = code === undefined ? `${status}` : `${status} ${code}`;
    this.statuses.set(name, this.count(name) + 1);
    return status === 200 ? body : undefined;
  }

  async #generate(kind: "snowflake" | "counter" | "uuid", route: string, most: number): Promise<void> {
    const search = most > 1 ? `?count=${between(1, most)}` : "";
    const headers = { "x-api-key": oneOf(API_KEYS) };
    const body = (await this.#send({ path: `/generate_${route}${search}`, headers })) as
      | { id?: string; ids?: string[] }
      | undefined;
    this.ids[kind].push(...(body?.ids ?? (body?.id === undefined ? [] : [body.id])));
  }

  /** Issues an ID without a key. */
  async #issue(): Promise<void> {
    const request = issueRequest({ apiKey: oneOf(API_KEYS), type: oneOf(Object.keys(TYPES)), key: "" });
    const { "idempotency-key": _none, ...headers } = request.headers ?? {};
    const body = (await this.#send({ ...request, headers })) as { response: { id: string } } | undefined;
    if (body) this.ids.numeric.push(body.response.id);
  }

  /** Issues an ID for a new key, and retries until it has a response, as a client does after a broken connection. */
  async #issueWithKey(): Promise<void> {
    const request = {
      apiKey: oneOf(API_KEYS),
      type: oneOf(Object.keys(TYPES)),
      key: `order-${++this.#keys}`,
    };
    for (;;) {
      const body = (await this.#send(issueRequest(request))) as { response: { id: string } } | undefined;
      if (body) {
        this.issues.push({ ...request, id: body.response.id });
        this.ids.numeric.push(body.response.id);
        return;
      }
      await setTimeout(20);
    }
  }

  /** Repeats an acknowledged request. */
  async #replay(): Promise<void> {
    if (this.issues.length === 0) return;
    const issue = oneOf(this.issues);
    const body = (await this.#send(issueRequest(issue))) as { response: { id: string } } | undefined;
    if (!body) return;
    this.replays++;
    if (body.response.id !== issue.id) this.changed.push(issue.key);
  }

  async #sendAny(): Promise<void> {
    const choice = Math.random();
    if (choice < 0.18) await this.#generate("snowflake", "snowflake_id", 1);
    else if (choice < 0.28) await this.#generate("snowflake", "snowflake_id", 200);
    else if (choice < 0.42) await this.#generate("counter", "counter_id", 1);
    else if (choice < 0.5) await this.#generate("counter", "counter_id", 100);
    else if (choice < 0.58) await this.#generate("uuid", "uuid", 1);
    else if (choice < 0.7) await this.#issue();
    else if (choice < 0.85) await this.#issueWithKey();
    else await this.#replay();
  }
}
