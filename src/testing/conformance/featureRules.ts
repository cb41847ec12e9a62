// Rules of the features on a port: counters, rate limits, idempotency keys and leases do the same as in memory.

import { memory } from "../../backend/index.ts";
import { Counter } from "../../counter/index.ts";
import { Idempotency } from "../../idempotency/index.ts";
import { inspect, type Lease, leaseNode } from "../../lease/index.ts";
import { RateLimit } from "../../ratelimit/index.ts";
import { expectSame, expectThat, show } from "./expect.ts";
import type { Rule } from "./rule.ts";

/** Calls that are sent at once. */
const AT_ONCE = 10;

/** The longest window of a rate limit, so that no quota comes back during a check. */
const WINDOW_MS = 2 ** 31 - 1;

/** An odd limit and even costs: the quota left is never exactly the cost, so that no rounding of times matters. */
const LIMIT = 21;

/** A layout with four nodes. */
const FOUR_NODES = { timestampBits: 41, datacenterBits: 0, machineBits: 2, sequenceBits: 20 };
const NODES = 4;

/** How long a lease waits for a node that was released a moment ago, or by a store whose clock is behind. */
const WAIT_MS = 15_000;

/** Returns the code of an error of bitflake. Throws any other one. */
function codeOf(error: unknown): string {
  const { code } = Object(error) as { readonly code?: unknown };
  if (typeof code === "string" && code !== "ERR_BACKEND") return code;
  throw error;
}

/** Returns a result as text. */
async function outcomeOf(call: Promise<unknown>): Promise<string> {
  return call.then(show, codeOf);
}

const counterRule: Rule = {
  name: "a counter counts as in memory",
  async check({ name, operations, port, random }) {
    const make = (backend: ConstructorParameters<typeof Counter>[0]["backend"]) =>
      [0, 1].map(() => new Counter({ backend, name }));
    const counters = make(port);
    const references = make(memory());
    let last = 0n;
    for (let operation = 0; operation < operations; operation++) {
      const which = random.below(counters.length);
      const count = 1 + random.below(5);
      const [values, expected] = await Promise.all(
        [counters, references].map((all) => (all[which] as Counter).nextValues(count)),
      );
      expectSame("", `values ${operation} of a counter to be`, values, expected);
      last = expected?.at(-1) ?? last;
    }
    const others = Array.from({ length: AT_ONCE }, () => new Counter({ backend: port, name }));
    const values = await Promise.all(others.map((counter) => counter.next()));
    const sorted = values.sort((a, b) => (a < b ? -1 : 1));
    expectSame(
      "",
      "the values of calls at once, sorted, to be",
      sorted,
      sorted.map((_, index) => last + 1n + BigInt(index)),
    );
  },
};

const limitRule: Rule = {
  name: "a rate limit allows and denies as in memory",
  async check({ name, operations, port, random }) {
    const settings = { name, limit: LIMIT, windowMs: WINDOW_MS };
    const limits = [0, 1].map(() => new RateLimit({ backend: port, ...settings }));
    const reference = new RateLimit({ backend: memory(), ...settings });
    for (let operation = 0; operation < operations; operation++) {
      const key = `client ${random.below(Math.ceil(operations / 10))}`;
      const cost = 2 + 2 * random.below(3);
      const limit = random.pick(limits);
      const { allowed, remaining } = await limit.limit(key, cost);
      const expected = await reference.limit(key, cost);
      expectSame(
        "",
        `call ${operation} of a rate limit, with the key ${show(key)}, to be allowed:`,
        allowed,
        expected.allowed,
      );
      // The clocks of store and process differ by less than the time of one call.
      const difference = Math.abs(remaining - expected.remaining);
      expectThat(
        "",
        `${expected.remaining} calls that remain after call ${operation} of a rate limit, or one more or less`,
        difference <= 1,
        remaining,
      );
    }
    const decisions = await Promise.all(
      Array.from({ length: 2 * AT_ONCE }, (_, index) => (limits[index % 2] as RateLimit).limit("at once", 2)),
    );
    const allowed = decisions.filter((decision) => decision.allowed).length;
    expectSame(
      "",
      `the number of ${2 * AT_ONCE} calls at once that a rate limit allows to be`,
      allowed,
      (LIMIT - 1) / 2,
    );
  },
};

const idempotencyRule: Rule = {
  name: "an idempotency key runs work once, as in memory",
  async check({ name, operations, port, random }) {
    const keys = [0, 1].map(() => new Idempotency({ backend: port, name }));
    const reference = new Idempotency({ backend: memory(), name });
    // A run needs up to three steps, so this is a third of them.
    for (let operation = 0; operation < Math.ceil(operations / 3); operation++) {
      const key = `order ${random.below(Math.ceil(operations / 9))} ü🙂'`;
      const fingerprint = `print ${random.below(2)}`;
      const inner = `print ${random.below(2)}`;
      const kind = random.below(4);
      const runOn = (once: Idempotency) =>
        outcomeOf(
          once.once(key, fingerprint, async () => {
            if (kind === 0) throw Object.assign(new Error("the work failed"), { code: "ERR_WORK" });
            // A call during the work of the key is refused.
            if (kind === 1) return outcomeOf(once.once(key, inner, () => "inner"));
            return { operation, text: "ü🙂\n\"'" };
          }),
        );
      const outcome = await runOn(random.pick(keys));
      expectSame(
        "",
        `call ${operation} with the idempotency key ${show(key)} to result in`,
        outcome,
        await runOn(reference),
      );
    }
    let runs = 0;
    const work = () => ++runs;
    const outcomes = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, index) =>
        outcomeOf((keys[index % 2] as Idempotency).once("at once", "f", work)),
      ),
    );
    expectSame("", `the runs of work for ${AT_ONCE} calls at once with one idempotency key to be`, runs, 1);
    const allowed = [
      show({ value: 1, isReplay: false }),
      show({ value: 1, isReplay: true }),
      "ERR_IN_FLIGHT",
    ];
    expectSame(
      "",
      "the calls that neither ran nor were refused nor got the result to be",
      outcomes.filter((outcome) => !allowed.includes(outcome)),
      [],
    );
  },
};

const leaseRule: Rule = {
  name: "leases grant each node to one holder",
  needs: "list",
  async check({ name, operations, port, random }) {
    const held: Lease[] = [];
    const ids = new Set<bigint>();
    let made = 0;
    const lease = async (waitMs: number) => {
      const granted = await leaseNode({ backend: port, name, preset: FOUR_NODES, waitMs });
      const nodes = held.map(({ node }) => node);
      held.push(granted);
      expectThat(
        "",
        `a node other than those that are held (${nodes.join(", ")})`,
        !nodes.includes(granted.node),
        granted.node,
      );
    };
    try {
      // All at once: no two may get the same node.
      await Promise.all(Array.from({ length: NODES }, () => lease(WAIT_MS)));
      for (let operation = 0; operation < operations; operation++) {
        const kind = random.below(8);
        if (kind === 0 && held.length < NODES) {
          await lease(WAIT_MS);
        } else if (kind === 1 && held.length === NODES) {
          const outcome = await outcomeOf(lease(0));
          expectSame(
            "",
            "a lease while all nodes are held to be refused with",
            outcome,
            "ERR_NO_NODE_AVAILABLE",
          );
        } else if (kind === 2 && held.length > 0) {
          const [released] = held.splice(random.below(held.length), 1);
          await released?.release();
        } else if (kind === 3) {
          const { held: reported } = await inspect(port, name);
          const nodesOf = (holders: readonly { readonly node: number }[]) =>
            holders.map(({ node }) => node).sort();
          expectSame("", "the nodes that inspect reports as held to be", nodesOf(reported), nodesOf(held));
        } else {
          for (const { generator } of held) {
            ids.add(generator.nextId());
            made++;
          }
        }
      }
      expectSame("", "the number of different IDs that the holders have made to be", ids.size, made);
    } finally {
      for (const lease of held) await lease.release().catch(() => {});
    }
  },
};

export const featureRules: readonly Rule[] = [counterRule, limitRule, idempotencyRule, leaseRule];
