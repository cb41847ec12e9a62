// Fake ports for counter tests: each has one counter that the test can read and set.

import type { RedisPort, SqlPort, SqlRow } from "../../src/backend/index.ts";
import { MAX_VALUE, NO_VALUE, type Reservation, reserve } from "../../src/counter/rule.ts";

/** Parses the arguments that a counter sends to Redis. */
function requestOf([count, highest, floor]: readonly string[]): Reservation {
  return {
    count: BigInt(count),
    highest: highest === "" ? NO_VALUE : BigInt(highest),
    floor: BigInt(floor),
  };
}

/** A call that the fake has received and not answered. */
interface Pending {
  readonly request: Reservation;
  answer: string | undefined;
  resolve(answer: unknown): void;
  reject(error: unknown): void;
}

/** A fake Redis that the test drives: it executes and answers a call only when the test says so. */
export class ManualRedis implements RedisPort {
  readonly timeoutMs: number = 60_000;
  at: bigint = NO_VALUE;
  readonly pending: Pending[] = [];

  eval(_script: string, _keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.pending.push({ request: requestOf(args), answer: undefined, resolve, reject });
    });
  }

  /** Executes a call and holds its answer back. */
  execute(call: Pending): void {
    if (call.answer !== undefined) return;
    const text = (value: bigint) => (value === NO_VALUE ? "" : String(value));
    const [after] = reserve(this.at, call.request);
    call.answer = `from ${text(this.at)} to ${text(after)}`;
    this.at = after;
  }

  /** Answers a call, after executing it if that has not happened yet. */
  reply(call: Pending): void {
    this.execute(call);
    this.#done(call).resolve(call.answer);
  }

  /** Answers a call with an error, whether it was executed or not. */
  fail(call: Pending, error = new Error("connection lost")): void {
    this.#done(call).reject(error);
  }

  #done(call: Pending): Pending {
    this.pending.splice(this.pending.indexOf(call), 1);
    return call;
  }
}

/** A fake Redis that executes and answers each call at once, except for the faults that are planned. */
export class InstantRedis implements RedisPort {
  at: bigint = NO_VALUE;
  calls = 0;
  readonly #redis = new ManualRedis();
  /** The faults of the next calls, in order: `lose` executes the call and fails, `refuse` only fails. */
  readonly faults: ("lose" | "refuse")[] = [];

  eval(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    this.calls++;
    this.#redis.at = this.at;
    const answer = this.#redis.eval(script, keys, args);
    const [call] = this.#redis.pending;
    const fault = this.faults.shift();
    if (fault !== "refuse") this.#redis.execute(call);
    if (fault) this.#redis.fail(call);
    else this.#redis.reply(call);
    this.at = this.#redis.at;
    return answer;
  }
}

/** A fake SQL table with at most one row, for the statements of a counter. */
export class OneRowSql implements SqlPort {
  readonly dialect = "sqlite";
  at: bigint = NO_VALUE;
  readonly sent: { readonly verb: string; readonly params: readonly string[] }[] = [];
  /** Runs before each statement, as if another process were faster. */
  before: (verb: string) => void = () => {};

  async query(text: string, params: readonly string[]): Promise<readonly SqlRow[]> {
    const verb = text.split(" ")[0];
    this.before(verb);
    this.sent.push({ verb, params });
    const rows = () => (this.at === NO_VALUE ? [] : [{ last: String(this.at) }]);
    if (verb === "SELECT") return rows();
    const [count, floor, fits, highest = NO_VALUE] = params.slice(1).map(BigInt);
    const from = this.at < floor ? floor - 1n : this.at;
    const lacks = verb === "UPDATE" && (this.at === NO_VALUE || this.at < highest);
    if (lacks || (this.at !== NO_VALUE && from > fits)) return [];
    if (from + count > MAX_VALUE) throw new Error("bigint out of range");
    this.at = from + count;
    return rows();
  }
}

/** Waits until all pending callbacks have run. */
export function flushEvents(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}
