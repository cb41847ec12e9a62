// Ports for tests, each with a counter whose steps are seen and can be set.

import type { RedisPort, SqlPort, SqlRow } from "../../src/backend/index.ts";
import { LAST, NONE, type Reservation, reserve } from "../../src/counter/rule.ts";

/** What a counter sends to Redis, as a request. */
function requestOf([count, highest, floor]: readonly string[]): Reservation {
  return {
    count: BigInt(count),
    highest: highest === "" ? NONE : BigInt(highest),
    floor: BigInt(floor),
  };
}

/** A call that a desk has before it. */
interface Pending {
  readonly request: Reservation;
  answer: string | undefined;
  resolve(answer: unknown): void;
  reject(error: unknown): void;
}

/** A Redis that does nothing of itself: each call is carried out, and answered, when the test says so. */
export class Desk implements RedisPort {
  readonly timeoutMs = 5000;
  at: bigint = NONE;
  readonly pending: Pending[] = [];

  eval(_script: string, _keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.pending.push({ request: requestOf(args), answer: undefined, resolve, reject });
    });
  }

  /** Carries a call out, and keeps the answer back. */
  run(call: Pending): void {
    if (call.answer !== undefined) return;
    const text = (value: bigint) => (value === NONE ? "" : String(value));
    const [after] = reserve(this.at, call.request);
    call.answer = `from ${text(this.at)} to ${text(after)}`;
    this.at = after;
  }

  /** Carries a call out, if it was not, and answers it. */
  reply(call: Pending): void {
    this.run(call);
    this.#done(call).resolve(call.answer);
  }

  /** Answers a call with an error, whether it was carried out or not. */
  fail(call: Pending, error = new Error("connection lost")): void {
    this.#done(call).reject(error);
  }

  #done(call: Pending): Pending {
    this.pending.splice(this.pending.indexOf(call), 1);
    return call;
  }
}

/** A Redis that carries out and answers each call at once, unless told otherwise for the next ones. */
export class QuickRedis implements RedisPort {
  at: bigint = NONE;
  calls = 0;
  readonly #desk = new Desk();
  /** What happens to the next calls instead, one after the other. */
  readonly plan: ("lose" | "refuse")[] = [];

  eval(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    this.calls++;
    this.#desk.at = this.at;
    const answer = this.#desk.eval(script, keys, args);
    const [call] = this.#desk.pending;
    const fate = this.plan.shift();
    if (fate !== "refuse") this.#desk.run(call);
    if (fate) this.#desk.fail(call);
    else this.#desk.reply(call);
    this.at = this.#desk.at;
    return answer;
  }
}

/** A table of one row at most, as the statements of a counter see it. */
export class QuickSql implements SqlPort {
  readonly dialect = "sqlite";
  at: bigint = NONE;
  readonly sent: { readonly verb: string; readonly params: readonly string[] }[] = [];
  /** Runs before each statement: another process, which is faster. */
  before: (verb: string) => void = () => {};

  async query(text: string, params: readonly string[]): Promise<readonly SqlRow[]> {
    const verb = text.split(" ")[0];
    this.before(verb);
    this.sent.push({ verb, params });
    const rows = () => (this.at === NONE ? [] : [{ last: String(this.at) }]);
    if (verb === "SELECT") return rows();
    const [count, floor, fits, highest = NONE] = params.slice(1).map(BigInt);
    const from = this.at < floor ? floor - 1n : this.at;
    const lacks = verb === "UPDATE" && (this.at === NONE || this.at < highest);
    if (lacks || (this.at !== NONE && from > fits)) return [];
    if (from + count > LAST) throw new Error("bigint out of range");
    this.at = from + count;
    return rows();
  }
}

/** Lets everything run that has something to do. */
export function settled(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}
