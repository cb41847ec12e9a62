// The service under fire: three processes on one Redis and one PostgreSQL, or on a PostgreSQL alone, behind a round
// robin, while processes are killed and replaced, and stores hang, crash and come back. Every ID that a client got is
// kept, and none may be there twice; a key that was acknowledged has its ID for ever.
//
// SERVICE_SECONDS makes the load longer; SERVICE_DIST is another build to try.

import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";
import { Redis } from "ioredis";
import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Backend, fromIORedis, fromPg } from "../../src/backend/index.ts";
import { inspect } from "../../src/lease/index.ts";
import { type Server, startable, startPostgres, startRedis } from "./servers.ts";
import { API_KEYS, issueOf, Load, TYPES } from "./service/load.ts";
import { Crew, type Ending, type Outcome, type Plan, type Question, type Worker } from "./service/workers.ts";

const { REDIS_URL = "", DATABASE_URL = "" } = process.env;
const seconds = Number(process.env.SERVICE_SECONDS ?? 6);

/** How long what is down may take to be noticed, and what is back to be used again: a leash for a hang. */
const LEASH = { timeout: 30_000, interval: 100 };

/** Says what is to be undone at the end of a test. */
type Undo = (step: () => Promise<void> | void) => void;

const TABLES = ["leases", "lease_nodes", "counters", "rates", "ids", "id_types"];

let places = 0;

/** A place of one's own on the stores: what its processes are told, and what this process sees of it. */
function place(undo: Undo, { redis, postgres }: { redis?: string; postgres: string }, options = {}) {
  const prefix = `service_${process.pid}_${places++}`;
  const client = new pg.Pool({ connectionString: postgres });
  client.on("error", () => {});
  let backend: Backend = fromPg(client, { prefix });
  if (redis) {
    const cache = new Redis(redis, { retryStrategy: () => 50 });
    cache.on("error", () => {});
    undo(() => cache.disconnect());
    backend = fromIORedis(cache, { prefix });
  }
  const plan: Plan = { ...(redis && { redis }), postgres, prefix, options: { types: TYPES, ...options } };
  const crewOf = (more: Partial<Plan> = {}) => {
    const crew = new Crew({ ...plan, ...more });
    undo(() => crew.stop());
    return crew;
  };
  undo(async () => {
    for (const table of TABLES) await client.query(`DROP TABLE IF EXISTS "${prefix}_${table}"`);
    await client.end();
  });
  /** The nodes that somebody holds. */
  const held = async () => (await inspect(backend, "service")).held.map(({ node }) => node);
  return { prefix, client, backend, crewOf, held };
}

/** What an answer says. */
const said = ({ text }: Outcome) => JSON.parse(text);

/** The node that a process has leased. */
async function nodeOf(crew: Crew, worker: Worker): Promise<number> {
  return said(await crew.askOf(worker, { path: "/health" })).lease.node;
}

/** Whether it ended as it should, and with nothing to complain of. */
const isInOrder = { code: 0, signal: null, complaint: "" };

/** What a client sees of a process that is killed. */
const CUT = /^(ECONNRESET|ECONNREFUSED|EPIPE)$/;

/** Where everything is, by what it is called. */
const grounds = [
  ["Redis, and PostgreSQL for the pools", { redis: REDIS_URL, postgres: DATABASE_URL }],
  ["PostgreSQL alone", { postgres: DATABASE_URL }],
] as const;

for (const [name, addresses] of grounds) {
  const isThere = Object.values(addresses).every((address) => address !== "");

  describe.skipIf(!isThere)(`three processes on ${name}`, () => {
    test("under load, one killed and one replaced: no ID twice, a key keeps its ID, and clients notice as little as can be", {
      timeout: seconds * 3000 + 120_000,
    }, async ({ onTestFinished: undo }) => {
      const rateLimit = { limit: 1_000_000, windowMs: 1000 };
      const { prefix, client, crewOf, held } = place(undo, addresses, { apiKeys: API_KEYS, rateLimit });
      const crew = crewOf();
      const [killed, replaced] = (await crew.start("killed", "replaced", "stays")) as [Worker, Worker];
      const [killedNode, replacedNode] = [await nodeOf(crew, killed), await nodeOf(crew, replaced)];
      expect(await held()).toHaveLength(3);

      const load = new Load(crew);
      const running = load.run(24);
      await setTimeout(seconds * 250);
      killed.child.kill("SIGKILL");
      expect(await killed.ended).toMatchObject({ signal: "SIGKILL" });
      crew.takeOut(killed);
      await setTimeout(seconds * 125);
      await crew.start("in place of the killed");
      await setTimeout(seconds * 125);
      const ending = await crew.end(replaced);
      const heldThen = await held();
      await crew.start("in place of the replaced");
      await setTimeout(seconds * 500);
      load.end();
      await running;

      // The process that was to end has: with all answered that it had begun, and its node free.
      expect(ending).toMatchObject(isInOrder);
      expect([...ending.begun, ...ending.late].filter((number) => !load.answered.has(number))).toEqual([]);
      expect(heldThen).not.toContain(replacedNode);
      expect(heldThen).toContain(killedNode);

      const counts = Object.entries(load.ids).map(([kind, ids]) => `${ids.length} ${kind}`);
      const statuses = [...load.statuses].map(([status, count]) => `${count} × ${status}`);
      console.info(
        `service on ${name}, ${seconds} s: ${counts.join(", ")}; ${load.issues.length} keys, ${load.replays} replays;`,
        `${statuses.join(", ")}; ${load.failures.length} cut off; ${ending.begun.length} under way at SIGTERM`,
      );
      expect(load.repeats).toEqual([]);
      expect(load.changed).toEqual([]);
      for (const ids of Object.values(load.ids)) expect(ids.length).toBeGreaterThan(50);
      expect(load.replays).toBeGreaterThan(20);
      // Who was under way with the killed process sees its connection break, and nobody else.
      expect(load.failures.filter(({ worker }) => worker !== killed).map(({ failure }) => failure)).toEqual(
        [],
      );
      expect(load.failures.filter(({ failure = "" }) => !CUT.test(failure))).toEqual([]);
      expect([...load.statuses.keys()].filter((status) => !/^(200$|503 )/.test(status))).toEqual([]);

      // What was acknowledged is the same wherever it is asked for.
      const changed: string[] = [];
      const replays = [...load.issues.entries()];
      const replayer = async () => {
        for (let next = replays.pop(); next; next = replays.pop()) {
          const [, issue] = next;
          for (const worker of crew.rotation) {
            let outcome = await crew.askOf(worker, issueOf(issue));
            // A connection that both ends give up at the same moment, or a store that is busy: a client asks again.
            for (let tries = 0; outcome.status !== 200 && tries < 20; tries++) {
              await setTimeout(50);
              outcome = await crew.askOf(worker, issueOf(issue));
            }
            const { status, text, failure = "" } = outcome;
            const isSame = status === 200 && said(outcome).response.id === issue.id;
            if (!isSame) changed.push(`${issue.key}, ${issue.id}: ${status} ${text} ${failure}`);
          }
        }
      };
      await Promise.all(Array.from({ length: 24 }, replayer));
      expect(changed).toEqual([]);
      // And for no key is there an ID that nobody got.
      const { rows } = await client.query(`SELECT id FROM ${prefix}_ids WHERE request IS NOT NULL`);
      expect(new Set(rows.map(({ id }) => id))).toEqual(new Set(load.issues.map(({ id }) => id)));

      const endings = await Promise.all(crew.rotation.slice().map((worker) => crew.end(worker)));
      expect(endings).toMatchObject([isInOrder, isInOrder, isInOrder]);
      expect(await held()).toEqual([killedNode]);
    });

    test("a limit of 10 for an API key lets 10 of 200 through, whichever process they come to", async ({
      onTestFinished: undo,
    }) => {
      const rateLimit = { limit: 10, windowMs: 86_400_000 };
      const { crewOf } = place(undo, addresses, { apiKeys: API_KEYS, rateLimit });
      const crew = crewOf();
      await crew.start("a", "b", "c");
      const routes = ["/generate_uuid", "/generate_snowflake_id", "/generate_counter_id", "/capacity"];
      const atOnce = (count: number, apiKey: string) =>
        Promise.all(
          Array.from({ length: count }, (_, at) =>
            crew.ask({ path: routes[at % routes.length] as string, headers: { "x-api-key": apiKey } }),
          ),
        );
      const [first, second] = await Promise.all(API_KEYS.map((apiKey) => atOnce(200, apiKey)));
      for (const outcomes of [first, second] as Outcome[][]) {
        const [passed, denied] = [200, 429].map((wanted) =>
          outcomes.filter(({ status }) => status === wanted),
        );
        expect([passed?.length, denied?.length]).toEqual([10, 190]);
        for (const { headers } of outcomes) {
          expect(headers["ratelimit-policy"]).toBe('"service";q=10;w=86400');
          expect(headers["ratelimit"]).toMatch(/^"service";r=\d;t=\d+$/);
        }
        for (const outcome of denied ?? []) {
          expect(outcome.headers["content-type"]).toBe("application/problem+json");
          // The next one is a tenth of a day away.
          expect(Number(outcome.headers["retry-after"])).toBeGreaterThan(8600);
          expect(Number(outcome.headers["retry-after"])).toBeLessThanOrEqual(8640);
          expect(said(outcome)).toMatchObject({ status: 429, code: "ERR_RATE_LIMITED" });
        }
      }
      // Whoever has none, or another, is not counted: he is not even known.
      expect(await atOnce(3, "a-key-of-nobody-at-all")).toMatchObject(Array(3).fill({ status: 401 }));
    });

    test("50 at once with one key, over all processes, are given one ID", async ({
      onTestFinished: undo,
    }) => {
      const { prefix, client, crewOf } = place(undo, addresses, { apiKeys: API_KEYS });
      const crew = crewOf();
      await crew.start("a", "b", "c");
      const ids = new Set<string>();
      for (let round = 0; round < 10; round++) {
        for (const apiKey of API_KEYS) {
          const question = issueOf({ apiKey, type: "farmer", key: `form-${round}` });
          const outcomes = await Promise.all(Array.from({ length: 50 }, () => crew.ask(question)));
          expect(outcomes.map(({ status }) => status)).toEqual(Array(50).fill(200));
          const given = new Set(outcomes.map((outcome) => said(outcome).response.id as string));
          expect(given.size).toBe(1);
          for (const id of given) ids.add(id);
          // One is the first, and the others are marked.
          const firsts = outcomes.filter(({ headers }) => headers["idempotent-replayed"] !== "true");
          expect(firsts).toHaveLength(1);
        }
      }
      // The same key of another client is another one.
      expect(ids.size).toBe(20);
      const { rows } = await client.query(`SELECT id FROM ${prefix}_ids WHERE taken IS NOT NULL`);
      expect(new Set(rows.map(({ id }) => id))).toEqual(ids);
    });
  });
}

/** How a process ended, unless that takes far longer than anything should. */
const inTime = (ending: Promise<Ending>) =>
  Promise.race([ending, setTimeout(LEASH.timeout, "it is still there", { ref: false })]);

/** What clients send that then say no more. */
const HALVES = {
  nothing: "",
  "half a head": "GET /generate_uuid HTTP/1.1\r\nhost: localhost\r\n",
  "half a body":
    "POST /v1/idgenerator/farmer/id HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",
};

describe.skipIf(!DATABASE_URL)("a process that is to end", () => {
  test.each(Object.entries(HALVES))("does so, though a client has sent %s and stays", async (_, half) => {
    const { crewOf, held } = place(onTestFinished, { postgres: DATABASE_URL });
    const crew = crewOf();
    const [worker] = (await crew.start("to end")) as [Worker];
    const client = connect(Number(new URL(worker.url).port));
    onTestFinished(() => void client.destroy());
    client.on("error", () => {});
    await once(client, "connect");
    client.write(half);
    // It must have come to it before it is told.
    await setTimeout(300);
    expect(await inTime(crew.end(worker))).toMatchObject(isInOrder);
    expect(await held()).toEqual([]);
  });
});

/** Servers of one's own, to be frozen and killed. What they have acknowledged they do not forget. */
async function ownServers(undo: Undo, hasRedis: boolean) {
  const postgres = await startPostgres();
  undo(() => postgres.stop());
  if (!hasRedis) return { servers: { postgres }, addresses: { postgres: postgres.url } };
  const redis = await startRedis({ durable: true });
  undo(() => redis.stop());
  return { servers: { redis, postgres }, addresses: { redis: redis.url, postgres: postgres.url } };
}

const COUNTER = { path: "/generate_counter_id" };
const SNOWFLAKE = { path: "/generate_snowflake_id" };
const UUID = { path: "/generate_uuid" };
const ISSUE = { method: "POST", path: "/v1/idgenerator/farmer/id" } as const;
const HEALTH = { path: "/health" };
const POOL_HEALTH = { path: "/v1/idgenerator/health" };

/** The two ways in which a server is away, and comes back. */
const outages: Readonly<Record<string, { away(server: Server): unknown; back(server: Server): unknown }>> = {
  hangs: { away: (server) => server.pause(), back: (server) => server.resume() },
  "is killed": { away: (server) => server.kill(), back: (server) => server.restart() },
};

/** That the store is away, in the words of the routes, of OpenG2P's, and of the health. */
const PROBLEM = { status: 503, code: "ERR_BACKEND", type: "about:blank" };
const FAULT = { response: null, errors: [{ errorCode: "IDG-006" }] };

/** What is expected of a process while one of its servers is away. */
const whileAway: readonly {
  readonly name: string;
  readonly hasRedis: boolean;
  readonly which: "redis" | "postgres";
  readonly counts: boolean;
  readonly issues: boolean;
}[] = [
  { name: "the Redis", hasRedis: true, which: "redis", counts: false, issues: true },
  {
    name: "the PostgreSQL of the pools",
    hasRedis: true,
    which: "postgres",
    counts: true,
    issues: false,
  },
  {
    name: "the PostgreSQL of everything",
    hasRedis: false,
    which: "postgres",
    counts: false,
    issues: false,
  },
];

describe.skipIf(!startable.redis || !startable.postgres)("a store that goes away and comes back", () => {
  for (const { name, hasRedis, which, counts, issues } of whileAway) {
    for (const [how, { away, back }] of Object.entries(outages)) {
      test(`${name} ${how}: what needs it is 503 in time, the rest goes on, and all recovers by itself`, async ({
        onTestFinished: undo,
      }) => {
        const { servers, addresses } = await ownServers(undo, hasRedis);
        const server = servers[which] as Server;
        const { crewOf } = place(undo, addresses);
        const crew = crewOf({ timeoutMs: 1000 });
        await crew.start("a", "b");
        /** What each process answers, for not all may have noticed. */
        const statuses = (question: Question) => async () => {
          const outcomes = await Promise.all(crew.rotation.map((worker) => crew.askOf(worker, question)));
          return outcomes.map(({ status }) => status);
        };
        const both = (status: number) => [status, status];
        await expect.poll(statuses(HEALTH), LEASH).toEqual(both(200));
        expect((await crew.ask(ISSUE)).status).toBe(200);

        const load = new Load(crew);
        const running = load.run(6);
        await setTimeout(300);
        await away(server);
        undo(() => server.resume());
        // What was seen just before may be said for a second.
        await expect.poll(statuses(HEALTH), LEASH).toEqual(both(503));
        const health = await crew.ask(HEALTH);
        expect(said(health)).toMatchObject({ status: "failing", backend: { status: "failing" } });
        expect(health.headers["retry-after"]).toBe("1");
        await expect.poll(statuses(POOL_HEALTH), LEASH).toEqual(both(issues ? 200 : 503));

        for (const worker of crew.rotation) {
          const counted = await crew.askOf(worker, COUNTER);
          expect([counted.status, counted.failure]).toEqual([counts ? 200 : 503, undefined]);
          if (!counts) {
            expect(said(counted)).toMatchObject(PROBLEM);
            expect(counted.headers).toMatchObject({
              "content-type": "application/problem+json",
              "retry-after": "1",
            });
          }
          const issued = await crew.askOf(worker, ISSUE);
          expect([issued.status, issued.failure]).toEqual([issues ? 200 : 503, undefined]);
          if (!issues) {
            expect(said(issued)).toMatchObject(FAULT);
            expect(issued.headers).toMatchObject({
              "content-type": "application/json",
              "retry-after": "1",
            });
          }
          // A node that is leased is good for a while yet, and chance needs no store.
          expect((await crew.askOf(worker, SNOWFLAKE)).status).toBe(200);
          expect((await crew.askOf(worker, UUID)).status).toBe(200);
        }

        await back(server);
        for (const question of [HEALTH, POOL_HEALTH, COUNTER, SNOWFLAKE, UUID, ISSUE]) {
          await expect.poll(statuses(question), LEASH).toEqual(both(200));
        }
        await setTimeout(300);
        load.end();
        await running;
        expect(load.failures.map(({ failure }) => failure)).toEqual([]);
        expect([...load.statuses.keys()].filter((status) => !/^(200$|503 )/.test(status))).toEqual([]);
        expect(load.repeats).toEqual([]);
        expect(load.changed).toEqual([]);
        expect(load.ids.snowflake.length).toBeGreaterThan(50);
        for (const issue of load.issues) {
          const outcome = await crew.ask(issueOf(issue));
          expect(said(outcome).response).toEqual({ id: issue.id });
        }
        const endings = await Promise.all(crew.rotation.slice().map((worker) => crew.end(worker)));
        expect(endings).toMatchObject([isInOrder, isInOrder]);
      });
    }
  }

  test("a limit whose store is away: closed it answers 503 to all, open it lets them through", async ({
    onTestFinished: undo,
  }) => {
    const { servers, addresses } = await ownServers(undo, true);
    const limited = async (onStoreError: string) => {
      const rateLimit = { limit: 1000, onStoreError };
      const crew = place(undo, addresses, { rateLimit }).crewOf({ timeoutMs: 500 });
      await crew.start(onStoreError);
      expect((await crew.ask(UUID)).status).toBe(200);
      return crew;
    };
    const [closed, open] = [await limited("fail"), await limited("allow")];
    for (const { away, back } of Object.values(outages)) {
      await away(servers.redis as Server);
      const refused = await closed.ask(UUID);
      expect(said(refused)).toMatchObject(PROBLEM);
      expect(refused.headers["retry-after"]).toBe("1");
      const passed = await open.ask(UUID);
      expect([passed.status, passed.headers["ratelimit"]]).toEqual([200, undefined]);
      await back(servers.redis as Server);
      for (const crew of [closed, open]) {
        await expect.poll(async () => (await crew.ask(UUID)).headers["ratelimit"], LEASH).toMatch(/r=\d+/);
      }
    }
  });

  for (const [name, hasRedis, which] of [
    ["the Redis", true, "redis"],
    ["the PostgreSQL of the pools", true, "postgres"],
    ["the PostgreSQL of everything", false, "postgres"],
  ] as const) {
    for (const isLimited of [false, true]) {
      for (const isStarted of [true, false]) {
        const limit = isLimited ? "with a limit" : "without a limit";
        const begin = isStarted ? "start() has failed" : "start() is left to the requests";
        test(`a process that begins while ${name} is down, ${limit}, ${begin}: 503 until it is up, and no restart`, async ({
          onTestFinished: undo,
        }) => {
          const { servers, addresses } = await ownServers(undo, hasRedis);
          const server = servers[which] as Server;
          await server.kill();
          const { crewOf } = place(undo, addresses, isLimited ? { rateLimit: { limit: 10_000 } } : {});
          const crew = crewOf({ timeoutMs: 1000, isStarted });
          await crew.start("early");
          for (const question of [SNOWFLAKE, COUNTER, ISSUE, HEALTH]) {
            const outcome = await crew.ask(question);
            expect([question.path, outcome.status, outcome.headers["retry-after"]]).toEqual([
              question.path,
              503,
              "1",
            ]);
          }
          if (!isLimited) expect((await crew.ask(UUID)).status).toBe(200);
          await server.restart();
          for (const question of [SNOWFLAKE, COUNTER, ISSUE, UUID, HEALTH, POOL_HEALTH]) {
            await expect.poll(async () => (await crew.ask(question)).status, LEASH).toBe(200);
          }
        });
      }
    }
  }

  test("a process that is to end while the store hangs: what is under way is answered when it is back", async ({
    onTestFinished: undo,
  }) => {
    const { servers, addresses } = await ownServers(undo, true);
    const { redis, postgres } = servers as { redis: Server; postgres: Server };
    const { crewOf, held } = place(undo, addresses);
    // So long that a question which nobody answers any more would keep it alive past all patience.
    const crew = crewOf({ timeoutMs: 60_000 });
    const [worker] = (await crew.start("to end")) as [Worker];
    await expect.poll(async () => (await crew.ask(ISSUE)).status, LEASH).toBe(200);
    expect(await held()).toHaveLength(1);
    redis.pause();
    postgres.pause();
    undo(() => redis.resume());
    undo(() => postgres.resume());
    const questions = Array.from({ length: 40 }, (_, at) => (at % 2 ? COUNTER : ISSUE));
    const outcomes = Promise.all(questions.map((question) => crew.ask(question)));
    // They must have come to it before it is told.
    await setTimeout(500);
    const ending: Promise<Ending> = crew.end(worker);
    await setTimeout(500);
    expect(worker.child.exitCode).toBe(null);
    redis.resume();
    postgres.resume();
    const answers = await outcomes;
    expect(answers.map(({ status }) => status)).toEqual(Array(40).fill(200));
    expect(answers.map(({ headers }) => headers["connection"])).toEqual(Array(40).fill("close"));
    expect(await inTime(ending)).toMatchObject(isInOrder);
    expect((await ending).begun).toHaveLength(40);
    expect(await held()).toEqual([]);
  });
});
