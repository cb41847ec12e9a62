// Where the tests of rate-limiter-flexible find Redis: a server of their own, because they delete all of its keys.

export const redisOptions = { socket: { host: "127.0.0.1", port: Number(process.env.PEER_REDIS_PORT) } };
