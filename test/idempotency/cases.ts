// What running once must do, whichever the store: every case of the table that peers fail somewhere.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Backend } from "../../src/backend/index.ts";
import { nowMsSql } from "../../src/backend/sql.ts";
import { qualifiedTable, redisKey } from "../../src/backend/storeNames.ts";
import {
  FingerprintError,
  fingerprint,
  Idempotency,
  type IdempotentOptions,
  InFlightError,
  idempotent,
  LockLostError,
  NotKeptError,
} from "../../src/idempotency/index.ts";
import { oncePort } from "../../src/idempotency/port.ts";
import { acquire, complete, extend, isReleasable, type KeyRecord } from "../../src/idempotency/rule.ts";

let names = 0;
/** A name with all that a script or statement may trip over. */
const freshName = () => `orders ${names++} ü'" %s $1 ?`;

const pause = (ms: number) => new Promise<void>((wake) => setTimeout(wake, ms));

/** A promise, and what settles it. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

type Fields = Readonly<Record<string, string>>;

const post = (body: BodyInit | null = "{}", headers: Fields = {}, url = "https://shop.example/orders") =>
  new Request(url, { method: "POST", body, headers: { "idempotency-key": "k-1", ...headers } });

const LONG = 1_000_000;

/** What a step of the model does. */
type Step = {
  readonly what: "begin" | "extend" | "complete" | "empty" | "release";
  readonly owner: string;
  readonly fingerprint: string;
  readonly lockMs: number;
  readonly keepMs: number;
};

const anyStep: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom("begin", "begin", "begin", "extend", "complete", "empty", "release"),
  owner: fc.constantFrom("a", "b", "c"),
  fingerprint: fc.constantFrom("f", "f", "f", "g"),
  // Over at once, or not within the test.
  lockMs: fc.constantFrom(0, LONG, LONG),
  keepMs: fc.constantFrom(0, LONG, LONG, LONG),
});

/**
 * What the store itself must do.
 *
 * @param open gives the store; called in tests only
 */
export function storeCases(open: () => Backend, runs: number): void {
  describe("the store", () => {
    test("does as the steps say, and answers so", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyStep, { maxLength: 25, size: "max" }), async (steps) => {
          const store = oncePort(open(), freshName());
          const key = `key ü'" %s $1 ? {x} } \n 🦩`;
          let held: KeyRecord | undefined;
          // Its time stands still in the model: what is over at once is over, and nothing else is.
          for (const step of steps) {
            const { what, owner } = step;
            const value = what === "complete" ? `{"by":"${owner}"}` : null;
            if (held && held.ends <= 0) held = undefined;
            if (what === "begin") {
              const [next, beginning] = acquire(held, step, 0);
              const answer = await store.acquire(key, step);
              if (answer.outcome === "running") expect(answer.waitMs).toBeGreaterThan(LONG - 60_000);
              expect({ ...answer, waitMs: 0 }).toEqual({ ...beginning, waitMs: 0 });
              held = next;
            } else if (what === "extend") {
              const next = extend(held, step, 0);
              expect(await store.extend(key, step)).toBe(next !== undefined);
              held = next ?? held;
            } else if (what === "release") {
              const isMine = isReleasable(held, owner, 0);
              expect(await store.release(key, owner)).toBe(isMine);
              if (isMine) held = undefined;
            } else {
              const next = complete(held, step, value, 0);
              expect(await store.complete(key, step, value)).toBe(next !== undefined);
              held = next ?? held;
            }
          }
        }),
        { numRuns: runs },
      );
    });

    test("a stale owner completes, extends and releases nothing", async () => {
      const store = oncePort(open(), freshName());
      const claim = { fingerprint: "f", lockMs: 1, keepMs: LONG };
      expect(await store.acquire("k", { ...claim, owner: "stale" })).toEqual({ outcome: "started" });
      await pause(20);
      const mine = { ...claim, owner: "next", lockMs: LONG };
      expect(await store.acquire("k", mine)).toEqual({ outcome: "started" });
      expect(await store.extend("k", { ...claim, owner: "stale" })).toBe(false);
      expect(await store.complete("k", { ...claim, owner: "stale" }, "wrong")).toBe(false);
      expect(await store.release("k", "stale")).toBe(false);
      expect(await store.complete("k", mine, "right")).toBe(true);
      expect(await store.complete("k", { ...claim, owner: "stale" }, "wrong")).toBe(false);
      expect(await store.release("k", "stale")).toBe(false);
      expect(await store.acquire("k", mine)).toEqual({ outcome: "completed", value: "right" });
    });

    test("a late owner whose lock has ended, but whom nobody has replaced, completes", async () => {
      const store = oncePort(open(), freshName());
      const claim = { fingerprint: "f", owner: "late", lockMs: 1, keepMs: LONG };
      await store.acquire("k", claim);
      await pause(20);
      expect(await store.complete("k", claim, "done")).toBe(true);
      expect(await store.acquire("k", { ...claim, owner: "b" })).toEqual({
        outcome: "completed",
        value: "done",
      });
    });

    test("a lock that its store's clock has left far behind ends after its own time", async () => {
      const name = freshName();
      const store = oncePort(open(), name);
      const claim = { fingerprint: "f", keepMs: LONG };
      const dead = { ...claim, owner: "dead", lockMs: LONG };
      const next = { ...claim, owner: "next", lockMs: 50 };
      expect(await store.acquire("k", dead)).toEqual({ outcome: "started" });
      // As it looks after the clock was set back by as much again.
      await moveLock(open(), name, "k", 2 * LONG);
      const first = await store.acquire("k", next);
      expect(first).toEqual({ outcome: "running", waitMs: expect.any(Number) });
      const waitMs = first.outcome === "running" ? first.waitMs : 0;
      expect(waitMs).toBeGreaterThan(LONG - 60_000);
      expect(waitMs).toBeLessThanOrEqual(LONG);
      // It is pulled back for good, and by a short lock of somebody else no further.
      expect(await store.extend("k", { ...dead, lockMs: 50 })).toBe(true);
      await moveLock(open(), name, "k", 2 * LONG);
      for (;;) {
        const beginning = await store.acquire("k", next);
        if (beginning.outcome === "started") break;
        if (beginning.outcome === "running") expect(beginning.waitMs).toBeLessThanOrEqual(50);
        else expect.fail(beginning.outcome);
        await pause(5);
      }
      expect(await store.complete("k", dead, "late")).toBe(false);
    });

    test("keeps any text as a value", async () => {
      const store = oncePort(open(), freshName());
      const claim = { fingerprint: "f", owner: "a", lockMs: LONG, keepMs: LONG };
      const values = ["", " ", "12", "null", '{"a":1}', "a b\nc", "ü🦩'\"%s$1?\\", "x".repeat(300_000)];
      for (const [at, value] of values.entries()) {
        await store.acquire(`${at}`, claim);
        await store.complete(`${at}`, claim, value);
        expect(await store.acquire(`${at}`, claim)).toEqual({ outcome: "completed", value });
      }
    });
  });
}

/** Moves the end of a key's lock to so long from now. */
async function moveLock(port: Backend, name: string, key: string, aheadMs: number): Promise<void> {
  if ("change" in port) {
    port.change<Map<string, KeyRecord>, null>(`once:${name}`, (book = new Map(), now) => {
      const held = book.get(key) as KeyRecord;
      book.set(key, { ...held, lockedUntil: Math.floor(now) + aheadMs });
      return [book, null];
    });
  } else if ("eval" in port) {
    const script =
      "redis.call('HSET', KEYS[1], 'u', string.format('%.0f', redis.call('TIME')[1] * 1000 + ARGV[1])) return 'done'";
    await port.eval(script, [redisKey(port, key, `once:${name}`)], [String(aheadMs)]);
  } else {
    const now = nowMsSql(port.dialect === "postgres");
    const sql = `UPDATE ${qualifiedTable(port, "once")} SET until = ${now} + CAST($3 AS BIGINT) WHERE name = $1 AND key = $2`;
    await port.query(sql, [name, key, String(aheadMs)]);
  }
}

/** What comes of it. */
export function cases(open: () => Backend): void {
  const make = (
    handler: (request: Request) => Response | Promise<Response>,
    options: Partial<IdempotentOptions> = {},
  ) => idempotent(handler, { backend: open(), name: freshName(), tenant: () => "", ...options });
  /** A handler that counts how often it has run. */
  const counting = (respond: (run: number) => Response, options: Partial<IdempotentOptions> = {}) => {
    let runs = 0;
    const handler = make(() => respond(++runs), options);
    return { handler, runs: () => runs };
  };

  describe("once", () => {
    const make = (options = {}) => new Idempotency({ backend: open(), name: freshName(), ...options });

    test("does the work, and afterwards returns what it came to", async () => {
      const once = make();
      let runs = 0;
      const work = async () => ({ run: ++runs, text: "ü🦩", list: [1, null, true], none: undefined });
      const value = { run: 1, text: "ü🦩", list: [1, null, true] };
      expect(await once.once("k", "f", work)).toEqual({ value, isReplay: false });
      expect(await once.once("k", "f", work)).toEqual({ value, isReplay: true });
      expect(await once.once("other", "f", work)).toMatchObject({ value: { run: 2 }, isReplay: false });
      expect(await once.once("k", "f", () => undefined)).toMatchObject({ isReplay: true });
    });

    test("work without a result is done once too", async () => {
      const once = make();
      let runs = 0;
      const work = () => void runs++;
      expect(await once.once("k", "f", work)).toEqual({ value: undefined, isReplay: false });
      expect(await once.once("k", "f", work)).toEqual({ value: undefined, isReplay: true });
      expect(runs).toBe(1);
    });

    test("20 at once: one does it, the others are told that it is under way", async () => {
      const backend = open();
      const name = freshName();
      let runs = 0;
      const work = async () => {
        runs++;
        await pause(300);
        return runs;
      };
      const calls = Array.from({ length: 20 }, () =>
        new Idempotency({ backend, name }).once("k", "f", work).then(
          ({ value }) => value,
          (error) => error,
        ),
      );
      const outcomes = await Promise.all(calls);
      expect(runs).toBe(1);
      expect(outcomes.filter((outcome) => outcome === 1)).toHaveLength(1);
      const refused = outcomes.filter((outcome) => outcome !== 1);
      for (const error of refused) {
        expect(error).toBeInstanceOf(InFlightError);
        expect(error.lockedMs).toBeGreaterThan(0);
        expect(error.lockedMs).toBeLessThanOrEqual(30_000);
      }
      expect(refused).toHaveLength(19);
    });

    test("another fingerprint is refused, in flight and after", async () => {
      const once = make();
      const { opened, open: finish } = gate();
      const { opened: begun, open: begin } = gate();
      const first = once.once("k", "f", () => {
        begin();
        return opened;
      });
      await begun;
      await expect(once.once("k", "g", () => 1)).rejects.toBeInstanceOf(FingerprintError);
      finish();
      await first;
      await expect(once.once("k", "g", () => 1)).rejects.toBeInstanceOf(FingerprintError);
    });

    test("what throws has not been done", async () => {
      const once = make();
      const error = new Error("no");
      await expect(once.once("k", "f", () => Promise.reject(error))).rejects.toBe(error);
      const thrown = () => {
        throw error;
      };
      await expect(once.once("k", "f", thrown)).rejects.toBe(error);
      // Free for anything else, too.
      expect(await once.once("k", "g", () => 2)).toEqual({ value: 2, isReplay: false });
    });

    test("a lock is extended while the work goes on", async () => {
      const options = { backend: open(), name: freshName(), lockMs: 2000 };
      let runs = 0;
      const { opened, open: finish } = gate();
      const slow = async (signal: AbortSignal) => {
        runs++;
        await opened;
        return signal.aborted;
      };
      const first = new Idempotency(options).once("k", "f", slow);
      const began = performance.now();
      while (performance.now() - began < 5000) {
        await pause(100);
        await expect(new Idempotency(options).once("k", "f", slow)).rejects.toBeInstanceOf(InFlightError);
      }
      finish();
      expect(await first).toEqual({ value: false, isReplay: false });
      expect(runs).toBe(1);
    });

    test("a crash: its lock ends, and the next does the work", async () => {
      const [backend, name] = [open(), freshName()];
      const crashed = { fingerprint: "f", owner: "crashed", lockMs: 1000, keepMs: LONG };
      await oncePort(backend, name).acquire("k", crashed);
      const once = new Idempotency({ backend, name });
      await expect(once.once("k", "f", () => 1)).rejects.toBeInstanceOf(InFlightError);
      await pause(1050);
      await expect(once.once("k", "g", () => 1)).rejects.toBeInstanceOf(FingerprintError);
      expect(await once.once("k", "f", () => 2)).toEqual({ value: 2, isReplay: false });
      expect(await once.once("k", "f", () => 3)).toEqual({ value: 2, isReplay: true });
    });

    test("whoever has lost the lock is told, and its result is not taken", async () => {
      const [backend, name] = [open(), freshName()];
      const once = new Idempotency({ backend, name, lockMs: 300 });
      const { opened, open: finish } = gate();
      let reason: unknown;
      const first = once.once("k", "f", async (signal) => {
        const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        // As if the process had been paused: the other begins when the lock has ended in the store.
        const store = oncePort(backend, name);
        await stolen(store);
        await aborted;
        reason = signal.reason;
        await opened;
        return "stale";
      });
      const stolen = async (store: ReturnType<typeof oncePort>) => {
        // The thief says that the lock has ended: it extends with the only owner's name it cannot know, so it waits.
        const thief = { fingerprint: "f", owner: "thief", lockMs: LONG, keepMs: LONG };
        const end = performance.now() + 1000;
        // The event loop stands still for longer than the lock holds.
        while (performance.now() < end);
        expect(await store.acquire("k", thief)).toEqual({ outcome: "started" });
        expect(await store.complete("k", thief, '"mine"')).toBe(true);
      };
      setTimeout(finish, 1500);
      await expect(first).rejects.toBeInstanceOf(LockLostError);
      expect(reason).toBeInstanceOf(LockLostError);
      expect(await once.once("k", "f", () => "again")).toEqual({ value: "mine", isReplay: true });
    });

    test("a result is forgotten when its time is over, and not before", async () => {
      const once = make({ ttlMs: 1000, lockMs: 100 });
      const began = performance.now();
      await once.once("k", "f", () => 1);
      const again = await once.once("k", "f", () => 2);
      if (performance.now() - began < 900) expect(again).toEqual({ value: 1, isReplay: true });
      await pause(1100);
      expect(await once.once("k", "g", () => 3)).toEqual({ value: 3, isReplay: false });
    });

    test("a result that is too large is not kept, and its work not done again", async () => {
      const once = make({ maxBytes: 10 });
      expect(await once.once("k", "f", () => "12345678")).toEqual({ value: "12345678", isReplay: false });
      expect(await once.once("k", "f", () => "")).toEqual({ value: "12345678", isReplay: true });
      // In bytes: the ü has two.
      expect(await once.once("l", "f", () => "1234567ü")).toEqual({ value: "1234567ü", isReplay: false });
      await expect(once.once("l", "f", () => "")).rejects.toBeInstanceOf(NotKeptError);
    });

    test.each([
      ["a bigint", 5n],
      ["NaN", Number.NaN],
      ["-0", -0],
      ["a date", new Date(0)],
      ["a map", new Map([[1, 2]])],
      ["a function", () => 1],
      ["a hole", Array(2)],
      ["undefined in an array", [undefined]],
      ["one deep down", { a: [{ b: new Set() }] }],
    ])("a result that JSON would change, %s, is refused; the work is not done again", async (_, value) => {
      const once = make();
      await expect(once.once<unknown>("k", "f", () => value)).rejects.toMatchObject({ field: "result" });
      await expect(once.once("k", "f", () => 1)).rejects.toBeInstanceOf(NotKeptError);
    });

    test("names keep keys apart", async () => {
      const [one, other] = [make(), make()];
      await one.once("k", "f", () => 1);
      expect(await other.once("k", "g", () => 2)).toEqual({ value: 2, isReplay: false });
      expect(await one.once("k", "f", () => 3)).toEqual({ value: 1, isReplay: true });
    });
  });

  describe("idempotent", () => {
    test("a replay is equal in status, headers and body, and marked", async () => {
      const headers = { "content-type": "text/x; charset=utf-8", location: "/orders/1", "x-trace": "ü" };
      const { handler, runs } = counting(
        (run) => new Response(`order ${run} ü🦩`, { status: 201, statusText: "Made", headers }),
      );
      const first = await handler(post());
      const again = await handler(post());
      expect(first.headers.get("idempotent-replayed")).toBeNull();
      expect(again.headers.get("idempotent-replayed")).toBe("true");
      for (const response of [first, again]) {
        expect(response.status).toBe(201);
        expect(response.statusText).toBe("Made");
        expect(response.headers.get("location")).toBe("/orders/1");
        expect(response.headers.get("content-type")).toBe("text/x; charset=utf-8");
        expect(response.headers.get("x-trace")).toBe("ü");
        expect(await response.text()).toBe("order 1 ü🦩");
      }
      expect(runs()).toBe(1);
    });

    test("20 at once: one is done, the rest are 409 with Retry-After", async () => {
      const handler = make(async () => {
        await pause(300);
        return new Response("done");
      });
      const responses = await Promise.all(Array.from({ length: 20 }, () => handler(post())));
      const statuses = responses.map(({ status }) => status).sort();
      expect(statuses).toEqual([200, ...Array<number>(19).fill(409)]);
      for (const response of responses) {
        if (response.status === 200) continue;
        expect(response.headers.get("retry-after")).toBe("1");
        expect(response.headers.get("content-type")).toBe("application/problem+json");
        expect(await response.json()).toMatchObject({
          status: 409,
          title: "Conflict",
          code: "ERR_IN_FLIGHT",
        });
      }
    });

    test.each([
      ["body", post("{ }"), post("{}")],
      [
        "query",
        post("{}", {}, "https://shop.example/orders?n=1"),
        post("{}", {}, "https://shop.example/orders?n=2"),
      ],
      ["missing body", post(), post(null)],
    ])("another %s is 422, in flight and after", async (_, one, other) => {
      const { opened, open: finish } = gate();
      const { opened: begun, open: begin } = gate();
      const handler = make(async () => {
        begin();
        await opened;
        return new Response("done");
      });
      const first = handler(one.clone() as Request);
      await begun;
      expect(await (await handler(other.clone() as Request)).json()).toMatchObject({
        status: 422,
        code: "ERR_FINGERPRINT",
      });
      finish();
      await first;
      expect((await handler(other.clone() as Request)).status).toBe(422);
      expect((await handler(one.clone() as Request)).headers.get("idempotent-replayed")).toBe("true");
    });

    test.each([
      ["quoted", { "idempotency-key": '"k-1"' }],
      ["in the other header", { "x-idempotency-key": "k-1", "idempotency-key": undefined }],
      ["in both", { "x-idempotency-key": '"k-1"' }],
      ["bare", {}],
    ])("a key %s is the same key", async (_, given) => {
      const { handler, runs } = counting(() => new Response("done"));
      await handler(post());
      const request = post();
      for (const [name, value] of Object.entries(given)) {
        if (value === undefined) request.headers.delete(name);
        else request.headers.set(name, value);
      }
      expect((await handler(request)).headers.get("idempotent-replayed")).toBe("true");
      expect(runs()).toBe(1);
    });

    test("tenants, paths, methods and names are kept apart", async () => {
      const [backend, name] = [open(), freshName()];
      const made: string[] = [];
      const build = (name: string) =>
        idempotent(
          async (request: Request, who: string) => {
            made.push(`${request.method} ${new URL(request.url).pathname} ${who}`);
            return new Response(made.at(-1));
          },
          { backend, name, tenant: (_, who: string) => who },
        );
      const [handler, other] = [build(name), build(freshName())];
      const at = (path: string, method = "POST") =>
        new Request(`https://shop.example${path}`, { method, headers: { "idempotency-key": "k" } });
      for (let round = 0; round < 2; round++) {
        expect(await (await handler(at("/a"), "ann")).text()).toBe("POST /a ann");
        expect(await (await handler(at("/a"), "bob")).text()).toBe("POST /a bob");
        expect(await (await handler(at("/b"), "ann")).text()).toBe("POST /b ann");
        expect(await (await handler(at("/a", "PATCH"), "ann")).text()).toBe("PATCH /a ann");
        expect(await (await other(at("/a"), "ann")).text()).toBe("POST /a ann");
      }
      expect(made).toHaveLength(5);
    });

    test("a handler that throws has not done it", async () => {
      let runs = 0;
      const error = new Error("no");
      const handler = make(() => {
        if (++runs === 1) throw error;
        return new Response("done");
      });
      await expect(handler(post())).rejects.toBe(error);
      expect(await (await handler(post("other"))).text()).toBe("done");
    });

    test.each([
      [200, true],
      [204, true],
      [302, true],
      [400, true],
      [404, true],
      [409, true],
      [401, false],
      [403, false],
      [429, false],
      [500, false],
      [503, false],
    ])("a %d is kept: %s", async (status, isKept) => {
      const { handler, runs } = counting((run) => new Response(status === 204 ? null : `${run}`, { status }));
      const texts: string[] = [];
      for (let call = 0; call < 2; call++) {
        const response = await handler(post());
        expect(response.status).toBe(status);
        texts.push(await response.text());
      }
      expect(runs()).toBe(isKept ? 1 : 2);
      expect(texts).toEqual(status === 204 ? ["", ""] : isKept ? ["1", "1"] : ["1", "2"]);
    });

    test("told otherwise, a 500 is kept and a 404 is not; a 401 never is", async () => {
      const keeps = (status: number) => status === 500 || status === 401;
      for (const [status, runsOf] of [
        [500, 1],
        [404, 2],
        [401, 2],
      ] as const) {
        const { handler, runs } = counting(() => new Response("", { status }), { keeps });
        await handler(post());
        await handler(post());
        expect(runs()).toBe(runsOf);
      }
    });

    test("a body of any bytes is the same, and so is none", async () => {
      const bytes = Uint8Array.from({ length: 70_000 }, (_, at) => (at * 7919) % 256);
      for (const body of [bytes, new Uint8Array(0), null, "\0\u{1F9A9}"]) {
        const { handler } = counting(() => new Response(body));
        const first = await (await handler(post())).arrayBuffer();
        const again = await (await handler(post())).arrayBuffer();
        expect(again).toEqual(first);
        expect(first.byteLength).toBe(typeof body === "string" ? 5 : (body?.length ?? 0));
      }
    });

    test("cookies and what is for the next hop alone are not replayed", async () => {
      const { handler } = counting(() => {
        const response = new Response("done", {
          headers: { connection: "close, X-Mine", "x-mine": "1", "keep-alive": "timeout=5", etag: '"e"' },
        });
        response.headers.append("set-cookie", "a=1; HttpOnly");
        response.headers.append("set-cookie", "b=2");
        return response;
      });
      const first = await handler(post());
      expect(first.headers.getSetCookie()).toEqual(["a=1; HttpOnly", "b=2"]);
      const again = await handler(post());
      expect(again.headers.getSetCookie()).toEqual([]);
      for (const name of ["connection", "x-mine", "keep-alive"]) expect(again.headers.get(name)).toBeNull();
      expect(again.headers.get("etag")).toBe('"e"');
    });

    test("a response that is too large reaches its client whole, and is not kept", async () => {
      const large = new Uint8Array(5000).fill(7);
      const { handler, runs } = counting(() => new Response(large, { status: 201 }), { maxBytes: 4999 });
      const first = await handler(post());
      expect(first.status).toBe(201);
      expect(new Uint8Array(await first.arrayBuffer())).toEqual(large);
      const again = await handler(post());
      expect(await again.json()).toMatchObject({ status: 409, code: "ERR_NOT_KEPT" });
      expect(again.headers.get("retry-after")).toBeNull();
      expect(runs()).toBe(1);
    });

    test("the fingerprint is the SHA-256 of the body", async () => {
      const [backend, name] = [open(), freshName()];
      const handler = idempotent(() => new Response("done"), { backend, name, tenant: () => "t" });
      await handler(post("abc"));
      const scope = await fingerprint(JSON.stringify(["t", "POST", "/orders", "k-1"]));
      const store = oncePort(backend, name);
      const claim = { owner: "x", lockMs: LONG, keepMs: LONG };
      const print = await fingerprint("abc");
      expect(await store.acquire(scope, { ...claim, fingerprint: print })).toMatchObject({
        outcome: "completed",
      });
      expect(await store.acquire(scope, { ...claim, fingerprint: "x" })).toEqual({ outcome: "mismatch" });
    });
  });
}
