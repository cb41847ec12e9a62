// Fake ports: each implements the rate limit rule, or returns the answers that a test has planned.

import type { RedisPort, SqlPort, SqlRow } from "../../src/backend/index.ts";

/** A Redis with a clock that tests set. It runs the rule instead of the script. */
export class FakeRedis implements RedisPort {
  now = 1_800_000_000_000_000;
  /** The TATs, by Redis key. */
  readonly tats = new Map<string, number>();
  readonly sent: { readonly key: string; readonly args: readonly string[] }[] = [];
  /** Answers of the next calls, one each. */
  readonly plan: (() => unknown)[] = [];

  async eval(_script: string, [key]: readonly string[], args: readonly string[]): Promise<unknown> {
    this.sent.push({ key, args });
    const planned = this.plan.shift();
    if (planned) return planned();
    const [costUs, tolerance, grace] = args.map(Number);
    const tat = Math.max(this.tats.get(key) ?? 0, this.now);
    if (tat + costUs - this.now <= tolerance) {
      this.tats.set(key, tat + costUs);
      return `allowed ${tat + costUs} ${this.now}`;
    }
    const pulledBack = tat - this.now > tolerance + grace ? this.now + tolerance : tat;
    this.tats.set(key, pulledBack);
    return `denied ${pulledBack} ${this.now}`;
  }
}

/** The first word of a statement. */
type Verb = "INSERT" | "SELECT" | "UPDATE" | "DELETE";

/** A table of rate limits with a clock that tests set. */
export class FakeSql implements SqlPort {
  readonly dialect: "postgres" | "sqlite";
  now = 1_800_000_000_000_000;
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
    if (verb === "DELETE") return [];
    const id = JSON.stringify(params.slice(0, 2));
    const stored = this.rows.get(id);
    const now = BigInt(this.now);
    const row = () => ({ ends: String(this.rows.get(id)), now: String(now) });
    if (verb === "SELECT") return stored === undefined ? [] : [row()];
    const [first, second] = params.slice(2).map(BigInt);
    if (verb === "UPDATE") {
      if (stored === second) this.rows.set(id, first);
      return [];
    }
    if (stored !== undefined && stored > now + second) return [];
    this.rows.set(id, (stored !== undefined && stored > now ? stored : now) + first);
    return [row()];
  }
}
