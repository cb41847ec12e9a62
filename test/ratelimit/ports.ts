// Ports for tests: each does what the rule of rate limits says, or answers what the test puts into its mouth.

import type { RedisPort, SqlPort, SqlRow } from "../../src/backend/index.ts";

/** A Redis with one clock, which carries out what the script says. */
export class QuickRedis implements RedisPort {
  now = 1_800_000_000_000_000;
  readonly held = new Map<string, number>();
  readonly sent: { readonly key: string; readonly args: readonly string[] }[] = [];
  /** What the next calls come to instead, one after the other. */
  readonly plan: (() => unknown)[] = [];

  async eval(_script: string, [key]: readonly string[], args: readonly string[]): Promise<unknown> {
    this.sent.push({ key, args });
    const planned = this.plan.shift();
    if (planned) return planned();
    const [price, tolerance, grace] = args.map(Number);
    const ends = Math.max(this.held.get(key) ?? 0, this.now);
    if (ends + price - this.now <= tolerance) {
      this.held.set(key, ends + price);
      return `allowed ${ends + price} ${this.now}`;
    }
    const back = ends - this.now > tolerance + grace ? this.now + tolerance : ends;
    this.held.set(key, back);
    return `denied ${back} ${this.now}`;
  }
}

/** What a statement is for. */
type Verb = "INSERT" | "SELECT" | "UPDATE" | "DELETE";

/** A table of rates, as the statements of a limit see it. */
export class QuickSql implements SqlPort {
  readonly dialect: "postgres" | "sqlite";
  now = 1_800_000_000_000_000;
  readonly rows = new Map<string, bigint>();
  readonly sent: { readonly verb: Verb; readonly text: string; readonly params: readonly string[] }[] = [];
  /** Runs before each statement: another process, which is faster. What it returns is the answer. */
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
    const held = this.rows.get(id);
    const now = BigInt(this.now);
    const row = () => ({ ends: String(this.rows.get(id)), now: String(now) });
    if (verb === "SELECT") return held === undefined ? [] : [row()];
    const [first, second] = params.slice(2).map(BigInt);
    if (verb === "UPDATE") {
      if (held === second) this.rows.set(id, first);
      return [];
    }
    if (held !== undefined && held > now + second) return [];
    this.rows.set(id, (held !== undefined && held > now ? held : now) + first);
    return [row()];
  }
}
