// The packages whose test files run on our adapters, at the versions that the figures in docs/web.md are of.

export interface Peer {
  /** The name of the package, and of its folder. */
  readonly name: string;
  /** On GitHub. */
  readonly repository: string;
  readonly commit: string;
  /** The test files that run. */
  readonly files: string[];
  /** Which adapter an import of the test files leads to. */
  readonly imports: readonly (readonly [RegExp, string])[];
  /** The subjects of its other test files, which do not run. */
  readonly others: string;
}

export const peers: readonly Peer[] = [
  {
    name: "hono-idempotency",
    repository: "paveg/hono-idempotency",
    commit: "6d6a07571c1b60bc369bce2386754219b8fce024",
    files: ["tests/middleware.test.ts"],
    imports: [[/^\.\.\/src\/(middleware|index|stores\/memory)\.js$/, "adapters/honoIdempotency.ts"]],
    others: "its stores, hash and problem functions",
  },
  {
    name: "express-rate-limit",
    repository: "express-rate-limit/express-rate-limit",
    commit: "3828a5b61c90e3134451ab32e88e61072dbf19f5",
    files: ["test/library/{middleware,headers,ip-key-generator,options}-test.ts"],
    imports: [[/^\.\.\/\.\.\/source\/(index|headers)\.js$/, "adapters/expressRateLimit.ts"]],
    others: "its memory store, console logger, types, and warnings about its own options",
  },
  {
    name: "rate-limiter-flexible",
    repository: "animir/node-rate-limiter-flexible",
    commit: "3c9c826248cd470960740c89e25a1277dc98fbf4",
    files: [
      "test/{RateLimiterMemory,RateLimiterUnion,RateLimiterQueue,BurstyRateLimiter}.test.js",
      "test/RateLimiterRedis.redis.test.js",
    ],
    imports: [
      [/^\.\/RedisOptions$/, "shims/redisOptions.ts"],
      [/^\.\.\/lib\/(\w+\/)?(\w+)$/, "adapters/rateLimiterFlexible.ts"],
    ],
    others: "its other stores, wrappers and internals",
  },
  {
    name: "node-idempotency",
    repository: "mahendraHegde/node-idempotency",
    commit: "622b33f3edb63ee2e864187bf564539c8dedea9d",
    files: ["packages/{core,plugin-express,plugin-fastify,plugin-nestjs}/tests/e2e/*.spec.ts"],
    imports: [
      [/^(\.\.\/)+src(\/index)?$/, "adapters/nodeIdempotency.ts"],
      [/^@node-idempotency\//, "adapters/nodeIdempotency.ts"],
      [/^redis-memory-server$/, "adapters/nodeIdempotency.ts"],
    ],
    others: "its storage adapters",
  },
  {
    name: "express-idempotency",
    repository: "VilledeMontreal/express-idempotency",
    commit: "e1e429ece367bc24a13a715a56a0031616124904",
    files: ["src/{middleware,services}/*.test.ts"],
    imports: [[/^\.\/(\.\.\/defaults\/)?(\w+)$/, "adapters/expressIdempotency.ts"]],
    others: "its validators and data adapter",
  },
];
