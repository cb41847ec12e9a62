// Fake ports: each implements the rate limit rule, or returns the answers that a test has planned.

import type { RedisPort, SqlPort, SqlRow } from "../../src/backend/index.ts";

/** The TAT and the end of the block of a key, in microseconds. */
interface KeyState {
  readonly tat: number;
  readonly blockedUntil: number;
}

/** A Redis with a clock that tests set. It runs the rule instead of the scripts. */
export class FakeRedis implements RedisPort {
  now = 1_800_000_000_000_000;
  readonly states = new Map<string, KeyState>();
  readonly sent: {
    readonly operation: string;
    readonly keys: readonly string[];
    readonly args: readonly string[];
  }[] = [];
  /** Answers of the next calls, one each. A function that returns `undefined` lets the call go on. */
  readonly plan: (() => unknown)[] = [];
  /** Whether it refuses keys of several hash slots, as a cluster does. */
  isCluster = false;

  async eval(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const operation = /^-- (\w+)/.exec(script)?.[1] ?? "";
    this.sent.push({ operation, keys, args });
    const planned = this.plan.shift();
    const answer = planned?.();
    if (planned) return answer;
    const slots = new Set(keys.map((key) => /\{([^}]+)\}/.exec(key)?.[1] ?? key));
    if (this.isCluster && slots.size > 1)
      throw new Error("CROSSSLOT Keys in request don't hash to the same slot");
    const [key] = keys;
    const { tat, blockedUntil } = this.states.get(key) ?? { tat: 0, blockedUntil: 0 };
    const numbers = args.map(Number);
    if (operation === "consume") return this.#consume(keys, numbers);
    if (operation === "peek") return `key ${tat} ${this.now} ${blockedUntil}`;
    if (operation === "reset") this.states.delete(key);
    else if (operation === "block") {
      this.states.set(key, { tat, blockedUntil: Math.max(blockedUntil, this.now + numbers[0]) });
    } else if (operation === "refund") {
      const back = Math.min(numbers[0], numbers[1] - this.now);
      if (tat > this.now && back > 0)
        this.states.set(key, { tat: Math.max(tat - back, this.now), blockedUntil });
    } else throw new Error(`unknown script: ${script}`);
    return "done";
  }

  #consume(keys: readonly string[], args: readonly number[]): string {
    const calls = keys.map((key, at) => {
      const [costUs, tolerance, grace] = args.slice(3 * at);
      const { tat: stored = 0, blockedUntil = 0 } = this.states.get(key) ?? {};
      const isBlocked = blockedUntil > this.now;
      const tat = Math.max(stored, this.now);
      const isAllowed = !isBlocked && tat + costUs - this.now <= tolerance;
      const isFar = tat - this.now > tolerance + grace;
      const pulledBack = isFar ? this.now + tolerance : tat;
      if (isFar) this.states.set(key, { tat: pulledBack, blockedUntil });
      return { key, costUs, tat: pulledBack, blockedUntil, isBlocked, isAllowed };
    });
    const areAllAllowed = calls.every(({ isAllowed }) => isAllowed);
    const answers = calls.map(({ key, costUs, tat, blockedUntil, isBlocked, isAllowed }) => {
      const after = areAllAllowed ? tat + costUs : tat;
      if (areAllAllowed) this.states.set(key, { tat: after, blockedUntil: 0 });
      const answer = `${isAllowed ? "allowed" : "denied"} ${after} ${this.now}`;
      return isBlocked ? `${answer} ${blockedUntil}` : answer;
    });
    return answers.join(",");
  }
}

/** The first word of a statement. */
type Verb = "INSERT" | "SELECT" | "UPDATE" | "DELETE";

/** A table of rate limits with a clock that tests set. */
export class FakeSql implements SqlPort {
  readonly dialect: "postgres" | "sqlite";
  now = 1_800_000_000_000_000;
  /** The column `ends`, by the JSON of name and key. */
  readonly rows = new Map<string, bigint>();
  readonly sent: { readonly verb: Verb; readonly text: string; readonly params: readonly string[] }[] = [];
  /** Runs before each statement, like a concurrent process. If it returns a value, that is the answer. */
  before: (verb: Verb) => unknown = () => undefined;

  constructor(dialect: "postgres" | "sqlite" = "sqlite") {
    this.dialect = dialect;
  }

  async query(text: string, params: readonly string[]): Promise<readonly SqlRow[]> {
    const verb = text.split(" ")[0] as Verb;
    this.sent.push({ verb, text, params });
    const answer = this.before(verb);
    if (answer !== undefined) return answer as SqlRow[];
    const idOf = (name: string) => JSON.stringify([name, params[1]]);
    const id = idOf(params[0]);
    const stored = this.rows.get(id);
    const now = BigInt(this.now);
    const textOf = (ends: bigint | undefined) => (ends === undefined ? null : String(ends));
    if (verb === "DELETE") {
      // A cleanup has no parameters.
      if (params.length > 0) for (const name of [params[0], params[2]]) this.rows.delete(idOf(name));
      return [];
    }
    if (verb === "SELECT") {
      const blocked = this.rows.get(idOf(params[2]));
      return [{ ends: textOf(stored), blocked: textOf(blocked), now: String(now) }];
    }
    const [first, second] = params.slice(2, 4).map(BigInt);
    if (verb === "UPDATE" && text.includes("SET ends = ends -")) {
      const back = first < second - now ? first : second - now;
      if (stored !== undefined && stored > now && back > 0n) this.rows.set(id, stored - back);
      return [];
    }
    if (verb === "UPDATE") {
      if (stored === second) this.rows.set(id, first);
      return [];
    }
    if (params.length === 3) {
      const end = now + first;
      this.rows.set(id, stored !== undefined && stored > end ? stored : end);
      return [];
    }
    const blocked = this.rows.get(idOf(params[4])) ?? 0n;
    if (blocked > now || (stored !== undefined && stored > now + second)) return [];
    this.rows.set(id, (stored !== undefined && stored > now ? stored : now) + first);
    return [{ ends: textOf(this.rows.get(id)), now: String(now) }];
  }
}
