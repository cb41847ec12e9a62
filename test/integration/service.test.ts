// The service under load: three processes on one Redis and one PostgreSQL, or on a PostgreSQL alone, behind a round robin,
// while processes are killed and replaced, and stores hang, crash and recover. The test records every ID that a client got:
// none may repeat, and an acknowledged key keeps its ID.
//
// SERVICE_SECONDS sets the duration of the load; SERVICE_DIST is another build to test.

import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";
import { Redis } from "ioredis";
import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Backend, fromIORedis, fromPg } from "../../src/backend/index.ts";
import { inspect } from "../../src/lease/index.ts";
import { type Server, startable, startPostgres, startRedis } from "./servers.ts";
import { API_KEYS, issueRequest, Load, TYPES } from "./service/load.ts";
import {
  type Ending,
  type Outcome,
  type Plan,
  type Worker,
  WorkerPool,
  type WorkerRequest,
} from "./service/workers.ts";

const { REDIS_URL = "", DATABASE_URL = "" } = process.env;
const seconds = Number(process.env.SERVICE_SECONDS ?? 6);

/** How long the detection of a failure or a recovery may take. Only a hang reaches it. */
const POLL = { timeout: 30_000, interval: 100 };

/** Registers a step for the end of a test. */
type OnFinished = (step: () => Promise<void> | void) => void;

const TABLES = ["leases", "lease_nodes", "counters", "rates", "ids", "id_types"];

let namespaces = 0;

/** Creates a namespace on the stores, and workers on it. */
function createNamespace(
  onFinished: OnFinished,
  { redis, postgres }: { redis?: string; postgres: string },
  options = {},
) {
  const prefix = `service_${process.pid}_${namespaces++}`;
  const client = new pg.Pool({ connectionString: postgres });
  client.on("error", () => {});
  let backend: Backend = fromPg(client, { prefix });
  if (redis) {
    const cache = new Redis(redis, { retryStrategy: () => 50 });
    cache.on("error", () => {});
    onFinished(() => cache.disconnect());
    backend = fromIORedis(cache, { prefix });
  }
  const plan: Plan = { ...(redis && { redis }), postgres, prefix, options: { types: TYPES, ...options } };
  const createWorkers = (more: Partial<Plan> = {}) => {
    const workers = new WorkerPool({ ...plan, ...more });
    onFinished(() => workers.stop());
    return workers;
  };
  onFinished(async () => {
    for (const table of TABLES) await client.query(`DROP TABLE IF EXISTS "${prefix}_${table}"`);
    await client.end();
  });
  /** Resolves to the leased nodes. */
  const heldNodes = async () => (await inspect(backend, "service")).held.map(({ node }) => node);
  return { prefix, client, backend, createWorkers, heldNodes };
}

/** Returns the body of a response. */
const bodyOf = ({ text }: Outcome) => JSON.parse(text);

/** Resolves to the node of a worker. */
async function nodeOf(workers: WorkerPool, worker: Worker): Promise<number> {
  return bodyOf(await workers.sendTo(worker, { path: "/health" })).lease.node;
}

/** The exit of a worker that stopped gracefully. */
const GRACEFUL = { code: 0, signal: null, stderr: "" };

/** The errors of a client whose worker is killed. */
const CONNECTION_LOST = /^(ECONNRESET|ECONNREFUSED|EPIPE)$/;

/** The stores of a run, by title. */
const stores = [
  ["Redis, and PostgreSQL for the pools", { redis: REDIS_URL, postgres: DATABASE_URL }],
  ["PostgreSQL alone", { postgres: DATABASE_URL }],
] as const;

for (const [name, addresses] of stores) {
  const isAvailable = Object.values(addresses).every((address) => address !== "");

  describe.skipIf(!isAvailable)(`three processes on ${name}`, () => {
    test("under load, while one is killed and one is replaced: no ID repeats, a key keeps its ID, and only clients of the killed process see errors", {
      timeout: seconds * 3000 + 120_000,
    }, async ({ onTestFinished: onFinished }) => {
      const rateLimit = { limit: 1_000_000, windowMs: 1000 };
      const { prefix, client, createWorkers, heldNodes } = createNamespace(onFinished, addresses, {
        apiKeys: API_KEYS,
        rateLimit,
      });
      const workers = createWorkers();
      const [killed, replaced] = (await workers.start("killed", "replaced", "stays")) as [Worker, Worker];
      const [killedNode, replacedNode] = [await nodeOf(workers, killed), await nodeOf(workers, replaced)];
      expect(await heldNodes()).toHaveLength(3);

      const load = new Load(workers);
      const running = load.run(24);
      await setTimeout(seconds * 250);
      killed.child.kill("SIGKILL");
      expect(await killed.ended).toMatchObject({ signal: "SIGKILL" });
      workers.remove(killed);
      await setTimeout(seconds * 125);
      await workers.start("replacement of the killed");
      await setTimeout(seconds * 125);
      const ending = await workers.end(replaced);
      const heldAfterStop = await heldNodes();
      await workers.start("replacement of the stopped");
      await setTimeout(seconds * 500);
      load.end();
      await running;

      // The replaced process has answered its requests in flight, and released its node.
      expect(ending).toMatchObject(GRACEFUL);
      expect([...ending.begun, ...ending.late].filter((number) => !load.answered.has(number))).toEqual([]);
      expect(heldAfterStop).not.toContain(replacedNode);
      expect(heldAfterStop).toContain(killedNode);

      const counts = Object.entries(load.ids).map(([kind, ids]) => `${ids.length} ${kind}`);
      const statuses = [...load.statuses].map(([status, count]) => `${count} × ${status}`);
      console.info(
        `service on ${name}, ${seconds} s: ${counts.join(", ")}; ${load.issues.length} keys, ${load.replays} replays;`,
        `${statuses.join(", ")}; ${load.failures.length} cut off; ${ending.begun.length} in flight at SIGTERM`,
      );
      expect(load.repeats).toEqual([]);
      expect(load.changed).toEqual([]);
      for (const ids of Object.values(load.ids)) expect(ids.length).toBeGreaterThan(50);
      expect(load.replays).toBeGreaterThan(20);
      // Only requests to the killed process fail, with a lost connection.
      expect(load.failures.filter(({ worker }) => worker !== killed).map(({ failure }) => failure)).toEqual(
        [],
      );
      expect(load.failures.filter(({ failure = "" }) => !CONNECTION_LOST.test(failure))).toEqual([]);
      expect([...load.statuses.keys()].filter((status) => !/^(200$|503 )/.test(status))).toEqual([]);

      // A replay of an acknowledged request has the same ID on every worker.
      const changed: string[] = [];
      const replays = [...load.issues.entries()];
      const replayer = async () => {
        for (let next = replays.pop(); next; next = replays.pop()) {
          const [, issue] = next;
          for (const worker of workers.rotation) {
            let outcome = await workers.sendTo(worker, issueRequest(issue));
            // Both ends may close an idle connection at the same moment, or the store may be busy: a client retries.
            for (let tries = 0; outcome.status !== 200 && tries < 20; tries++) {
              await setTimeout(50);
              outcome = await workers.sendTo(worker, issueRequest(issue));
            }
            const { status, text, failure = "" } = outcome;
            const isSame = status === 200 && bodyOf(outcome).response.id === issue.id;
            if (!isSame) changed.push(`${issue.key}, ${issue.id}: ${status} ${text} ${failure}`);
          }
        }
      };
      await Promise.all(Array.from({ length: 24 }, replayer));
      expect(changed).toEqual([]);
      // No key has an ID that no client got.
      const { rows } = await client.query(`SELECT id FROM ${prefix}_ids WHERE request IS NOT NULL`);
      expect(new Set(rows.map(({ id }) => id))).toEqual(new Set(load.issues.map(({ id }) => id)));

      const endings = await Promise.all(workers.rotation.slice().map((worker) => workers.end(worker)));
      expect(endings).toMatchObject([GRACEFUL, GRACEFUL, GRACEFUL]);
      expect(await heldNodes()).toEqual([killedNode]);
    });

    test("a rate limit of 10 lets 10 of 200 requests pass, over all processes", async ({
      onTestFinished: onFinished,
    }) => {
      const rateLimit = { limit: 10, windowMs: 86_400_000 };
      const { createWorkers } = createNamespace(onFinished, addresses, { apiKeys: API_KEYS, rateLimit });
      const workers = createWorkers();
      await workers.start("a", "b", "c");
      const routes = ["/generate_uuid", "/generate_snowflake_id", "/generate_counter_id", "/capacity"];
      const atOnce = (count: number, apiKey: string) =>
        Promise.all(
          Array.from({ length: count }, (_, at) =>
            workers.send({ path: routes[at % routes.length] as string, headers: { "x-api-key": apiKey } }),
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
          expect(bodyOf(outcome)).toMatchObject({ status: 429, code: "ERR_RATE_LIMITED" });
        }
      }
      // Requests with an invalid key are not counted.
      expect(await atOnce(3, "a-key-of-nobody-at-all")).toMatchObject(Array(3).fill({ status: 401 }));
    });

    test("50 concurrent requests with one key get one ID, over all processes", async ({
      onTestFinished: onFinished,
    }) => {
      const { prefix, client, createWorkers } = createNamespace(onFinished, addresses, { apiKeys: API_KEYS });
      const workers = createWorkers();
      await workers.start("a", "b", "c");
      const ids = new Set<string>();
      for (let round = 0; round < 10; round++) {
        for (const apiKey of API_KEYS) {
          const request = issueRequest({ apiKey, type: "farmer", key: `form-${round}` });
          const outcomes = await Promise.all(Array.from({ length: 50 }, () => workers.send(request)));
          expect(outcomes.map(({ status }) => status)).toEqual(Array(50).fill(200));
          const given = new Set(outcomes.map((outcome) => bodyOf(outcome).response.id as string));
          expect(given.size).toBe(1);
          for (const id of given) ids.add(id);
          // The first is not marked as a replay.
          const firsts = outcomes.filter(({ headers }) => headers["idempotent-replayed"] !== "true");
          expect(firsts).toHaveLength(1);
        }
      }
      // Each client has its own keys.
      expect(ids.size).toBe(20);
      const { rows } = await client.query(`SELECT id FROM ${prefix}_ids WHERE taken IS NOT NULL`);
      expect(new Set(rows.map(({ id }) => id))).toEqual(ids);
    });
  });
}

/** Resolves to the exit of a process, or to a message if it takes too long. */
const exitInTime = (ending: Promise<Ending>) =>
  Promise.race([ending, setTimeout(POLL.timeout, "it still runs", { ref: false })]);

/** The bytes of clients that then stall. */
const INCOMPLETE_REQUESTS = {
  nothing: "",
  "half a head": "GET /generate_uuid HTTP/1.1\r\nhost: localhost\r\n",
  "half a body":
    "POST /v1/idgenerator/farmer/id HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",
};

describe.skipIf(!DATABASE_URL)("a process that gets SIGTERM", () => {
  test.each(Object.entries(INCOMPLETE_REQUESTS))(
    "exits while a client that has sent %s stays connected",
    async (_, bytes) => {
      const { createWorkers, heldNodes } = createNamespace(onTestFinished, { postgres: DATABASE_URL });
      const workers = createWorkers();
      const [worker] = (await workers.start("stopping")) as [Worker];
      const client = connect(Number(new URL(worker.url).port));
      onTestFinished(() => void client.destroy());
      client.on("error", () => {});
      await once(client, "connect");
      client.write(bytes);
      // The bytes must arrive before SIGTERM.
      await setTimeout(300);
      expect(await exitInTime(workers.end(worker))).toMatchObject(GRACEFUL);
      expect(await heldNodes()).toEqual([]);
    },
  );
});

/** Starts servers that can be paused and killed. They keep acknowledged writes. */
async function startServers(onFinished: OnFinished, hasRedis: boolean) {
  const postgres = await startPostgres();
  onFinished(() => postgres.stop());
  if (!hasRedis) return { servers: { postgres }, addresses: { postgres: postgres.url } };
  const redis = await startRedis({ durable: true });
  onFinished(() => redis.stop());
  return { servers: { redis, postgres }, addresses: { redis: redis.url, postgres: postgres.url } };
}

const COUNTER = { path: "/generate_counter_id" };
const SNOWFLAKE = { path: "/generate_snowflake_id" };
const UUID = { path: "/generate_uuid" };
const ISSUE = { method: "POST", path: "/v1/idgenerator/farmer/id" } as const;
const HEALTH = { path: "/health" };
const POOL_HEALTH = { path: "/v1/idgenerator/health" };

/** The ways in which a server fails and recovers. */
const outages: Readonly<Record<string, { fail(server: Server): unknown; recover(server: Server): unknown }>> =
  {
    hangs: { fail: (server) => server.pause(), recover: (server) => server.resume() },
    "is killed": { fail: (server) => server.kill(), recover: (server) => server.restart() },
  };

/** The bodies of responses while the store is down: of the service's own routes, and of OpenG2P's. */
const PROBLEM = { status: 503, code: "ERR_BACKEND", type: "about:blank" };
const FAILURE = { response: null, errors: [{ errorCode: "IDG-006" }] };

/** The behaviour of a process while one of its servers is down. */
const whileDown: readonly {
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

describe.skipIf(!startable.redis || !startable.postgres)("a store that fails and recovers", () => {
  for (const { name, hasRedis, which, counts, issues } of whileDown) {
    for (const [how, { fail, recover }] of Object.entries(outages)) {
      test(`${name} ${how}: routes that need it answer 503 in time, the others work, and all recover`, async ({
        onTestFinished: onFinished,
      }) => {
        const { servers, addresses } = await startServers(onFinished, hasRedis);
        const server = servers[which] as Server;
        const { createWorkers } = createNamespace(onFinished, addresses);
        const workers = createWorkers({ timeoutMs: 4000 });
        await workers.start("a", "b");
        /** Resolves to the status of each worker, because they notice at different times. */
        const statuses = (request: WorkerRequest) => async () => {
          const outcomes = await Promise.all(
            workers.rotation.map((worker) => workers.sendTo(worker, request)),
          );
          return outcomes.map(({ status }) => status);
        };
        const both = (status: number) => [status, status];
        await expect.poll(statuses(HEALTH), POLL).toEqual(both(200));
        await expect.poll(statuses(ISSUE), POLL).toEqual(both(200));

        const load = new Load(workers);
        const running = load.run(6);
        await setTimeout(300);
        await fail(server);
        onFinished(() => server.resume());
        // A probe is valid for a second.
        await expect.poll(statuses(HEALTH), POLL).toEqual(both(503));
        const health = await workers.send(HEALTH);
        expect(bodyOf(health)).toMatchObject({ status: "failing", backend: { status: "failing" } });
        expect(health.headers["retry-after"]).toBe("1");
        await expect.poll(statuses(POOL_HEALTH), POLL).toEqual(both(issues ? 200 : 503));

        for (const worker of workers.rotation) {
          const counted = await workers.sendTo(worker, COUNTER);
          expect([counted.status, counted.failure]).toEqual([counts ? 200 : 503, undefined]);
          if (!counts) {
            expect(bodyOf(counted)).toMatchObject(PROBLEM);
            expect(counted.headers).toMatchObject({
              "content-type": "application/problem+json",
              "retry-after": "1",
            });
          }
          const issued = await workers.sendTo(worker, ISSUE);
          expect([issued.status, issued.failure]).toEqual([issues ? 200 : 503, undefined]);
          if (!issues) {
            expect(bodyOf(issued)).toMatchObject(FAILURE);
            expect(issued.headers).toMatchObject({
              "content-type": "application/json",
              "retry-after": "1",
            });
          }
          // The lease is still valid, and a random UUID needs no store.
          expect((await workers.sendTo(worker, SNOWFLAKE)).status).toBe(200);
          expect((await workers.sendTo(worker, UUID)).status).toBe(200);
        }

        await recover(server);
        for (const request of [HEALTH, POOL_HEALTH, COUNTER, SNOWFLAKE, UUID, ISSUE]) {
          await expect.poll(statuses(request), POLL).toEqual(both(200));
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
          const outcome = await workers.send(issueRequest(issue));
          expect(bodyOf(outcome).response).toEqual({ id: issue.id });
        }
        const endings = await Promise.all(workers.rotation.slice().map((worker) => workers.end(worker)));
        expect(endings).toMatchObject([GRACEFUL, GRACEFUL]);
      });
    }
  }

  test("a rate limit whose store is down answers 503 with onStoreError 'fail', and lets requests pass with 'allow'", async ({
    onTestFinished: onFinished,
  }) => {
    const { servers, addresses } = await startServers(onFinished, true);
    const limited = async (onStoreError: string) => {
      const rateLimit = { limit: 1000, onStoreError };
      const workers = createNamespace(onFinished, addresses, { rateLimit }).createWorkers({
        timeoutMs: 4000,
      });
      await workers.start(onStoreError);
      expect((await workers.send(UUID)).status).toBe(200);
      return workers;
    };
    const [failing, allowing] = [await limited("fail"), await limited("allow")];
    for (const { fail, recover } of Object.values(outages)) {
      await fail(servers.redis as Server);
      const refused = await failing.send(UUID);
      expect(bodyOf(refused)).toMatchObject(PROBLEM);
      expect(refused.headers["retry-after"]).toBe("1");
      const passed = await allowing.send(UUID);
      expect([passed.status, passed.headers["ratelimit"]]).toEqual([200, undefined]);
      await recover(servers.redis as Server);
      for (const workers of [failing, allowing]) {
        await expect.poll(async () => (await workers.send(UUID)).headers["ratelimit"], POLL).toMatch(/r=\d+/);
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
          onTestFinished: onFinished,
        }) => {
          const { servers, addresses } = await startServers(onFinished, hasRedis);
          const server = servers[which] as Server;
          await server.kill();
          const { createWorkers } = createNamespace(
            onFinished,
            addresses,
            isLimited ? { rateLimit: { limit: 10_000 } } : {},
          );
          const workers = createWorkers({ timeoutMs: 1000, isStarted });
          await workers.start("early");
          for (const request of [SNOWFLAKE, COUNTER, ISSUE, HEALTH]) {
            const outcome = await workers.send(request);
            expect([request.path, outcome.status, outcome.headers["retry-after"]]).toEqual([
              request.path,
              503,
              "1",
            ]);
          }
          if (!isLimited) expect((await workers.send(UUID)).status).toBe(200);
          await server.restart();
          for (const request of [SNOWFLAKE, COUNTER, ISSUE, UUID, HEALTH, POOL_HEALTH]) {
            await expect.poll(async () => (await workers.send(request)).status, POLL).toBe(200);
          }
        });
      }
    }
  }

  test("a process that gets SIGTERM while the store hangs answers requests in flight when the store recovers", async ({
    onTestFinished: onFinished,
  }) => {
    const { servers, addresses } = await startServers(onFinished, true);
    const { redis, postgres } = servers as { redis: Server; postgres: Server };
    const { createWorkers, heldNodes } = createNamespace(onFinished, addresses);
    // Longer than the test waits, so that a call without an answer would keep the process alive.
    const workers = createWorkers({ timeoutMs: 60_000 });
    const [worker] = (await workers.start("stopping")) as [Worker];
    await expect.poll(async () => (await workers.send(ISSUE)).status, POLL).toBe(200);
    expect(await heldNodes()).toHaveLength(1);
    redis.pause();
    postgres.pause();
    onFinished(() => redis.resume());
    onFinished(() => postgres.resume());
    const requests = Array.from({ length: 40 }, (_, at) => (at % 2 ? COUNTER : ISSUE));
    const outcomes = Promise.all(requests.map((request) => workers.send(request)));
    // The requests must arrive before SIGTERM.
    await setTimeout(500);
    const ending: Promise<Ending> = workers.end(worker);
    await setTimeout(500);
    expect(worker.child.exitCode).toBe(null);
    redis.resume();
    postgres.resume();
    const responses = await outcomes;
    expect(responses.map(({ status }) => status)).toEqual(Array(40).fill(200));
    expect(responses.map(({ headers }) => headers["connection"])).toEqual(Array(40).fill("close"));
    expect(await exitInTime(ending)).toMatchObject(GRACEFUL);
    expect((await ending).begun).toHaveLength(40);
    expect(await heldNodes()).toEqual([]);
  });
});
