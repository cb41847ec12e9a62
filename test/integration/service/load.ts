// What clients ask of a service for a while, all routes that give out IDs mixed, and what they got.

import { setTimeout } from "node:timers/promises";
import type { Crew, Outcome, Question } from "./workers.ts";

/** A client's API key, a type and an idempotency key: what an ID was issued for. */
interface Issue {
  readonly apiKey: string;
  readonly type: string;
  readonly key: string;
  readonly id: string;
}

/** The types of numeric IDs, for `createService`. */
export const TYPES = { farmer: { length: 10 }, card: { length: 12, rules: "mosip" } };

/** Who asks. */
export const API_KEYS = ["the-key-of-the-first", "the-key-of-the-second"];

/** The question that issues a numeric ID. */
export function issueOf({ apiKey, type, key }: Omit<Issue, "id">): Question {
  const headers = { authorization: `Bearer ${apiKey}`, "idempotency-key": key };
  return { method: "POST", path: `/v1/idgenerator/${type}/id`, headers };
}

const between = (least: number, most: number) => least + Math.floor(Math.random() * (most - least + 1));

const oneOf = <T>(choices: readonly T[]): T => choices[between(0, choices.length - 1)] as T;

/** What clients got. */
export class Load {
  /** All IDs by their kind: none may be there twice. */
  readonly ids: Readonly<Record<"snowflake" | "counter" | "uuid" | "numeric", string[]>> = {
    snowflake: [],
    counter: [],
    uuid: [],
    numeric: [],
  };
  /** What was issued for a key and acknowledged. */
  readonly issues: Issue[] = [];
  /** Keys whose ID was another one when it was asked for again. */
  readonly changed: string[] = [];
  /** How many of each status there were, with the code of the error. */
  readonly statuses = new Map<string, number>();
  /** All that had no answer. */
  readonly failures: Outcome[] = [];
  /** The numbers of the requests that were answered. */
  readonly answered = new Set<number>();
  /** How often an acknowledged key was asked for again. */
  replays = 0;
  #isOver = false;
  #keys = 0;
  readonly #crew: Crew;

  constructor(crew: Crew) {
    this.#crew = crew;
  }

  /** Has so many clients ask until it is told to end. */
  async run(clients: number): Promise<void> {
    const client = async () => {
      while (!this.#isOver) await this.#piece();
    };
    await Promise.all(Array.from({ length: clients }, client));
  }

  /** Lets what is under way finish. */
  end(): void {
    this.#isOver = true;
  }

  /** How many were answered with that. */
  count(status: string): number {
    return this.statuses.get(status) ?? 0;
  }

  /** The IDs that are there more than once. */
  get repeats(): string[] {
    return Object.values(this.ids).flatMap((ids) => {
      const seen = new Set<string>();
      return ids.filter((id) => seen.has(id) || !seen.add(id));
    });
  }

  /** Asks whose turn it is, and writes down what came of it. */
  async #ask(question: Question): Promise<unknown> {
    const outcome = await this.#crew.ask(question);
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
    const body = (await this.#ask({ path: `/generate_${route}${search}`, headers })) as
      | { id?: string; ids?: string[] }
      | undefined;
    this.ids[kind].push(...(body?.ids ?? (body?.id === undefined ? [] : [body.id])));
  }

  /** Issues for no key: an ID is for this request alone. */
  async #issue(): Promise<void> {
    const question = issueOf({ apiKey: oneOf(API_KEYS), type: oneOf(Object.keys(TYPES)), key: "" });
    const { "idempotency-key": _none, ...headers } = question.headers ?? {};
    const body = (await this.#ask({ ...question, headers })) as { response: { id: string } } | undefined;
    if (body) this.ids.numeric.push(body.response.id);
  }

  /** Issues for a key of its own, and asks until there is an answer, as a client does whose connection broke. */
  async #issueFor(): Promise<void> {
    const wanted = { apiKey: oneOf(API_KEYS), type: oneOf(Object.keys(TYPES)), key: `order-${++this.#keys}` };
    for (;;) {
      const body = (await this.#ask(issueOf(wanted))) as { response: { id: string } } | undefined;
      if (body) {
        this.issues.push({ ...wanted, id: body.response.id });
        this.ids.numeric.push(body.response.id);
        return;
      }
      await setTimeout(20);
    }
  }

  /** Asks again for what was acknowledged. */
  async #replay(): Promise<void> {
    if (this.issues.length === 0) return;
    const issue = oneOf(this.issues);
    const body = (await this.#ask(issueOf(issue))) as { response: { id: string } } | undefined;
    if (!body) return;
    this.replays++;
    if (body.response.id !== issue.id) this.changed.push(issue.key);
  }

  async #piece(): Promise<void> {
    const way = Math.random();
    if (way < 0.18) await this.#generate("snowflake", "snowflake_id", 1);
    else if (way < 0.28) await this.#generate("snowflake", "snowflake_id", 200);
    else if (way < 0.42) await this.#generate("counter", "counter_id", 1);
    else if (way < 0.5) await this.#generate("counter", "counter_id", 100);
    else if (way < 0.58) await this.#generate("uuid", "uuid", 1);
    else if (way < 0.7) await this.#issue();
    else if (way < 0.85) await this.#issueFor();
    else await this.#replay();
  }
}
