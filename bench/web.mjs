// What the middleware costs a request that has no key: CPU time of the server beside that of the same route without it.
// `npm run build && node bench/web.mjs`. Each server is a process of its own, and the two of a framework take turns; the
// ratio is the median of the ratios of neighbouring rounds. The frameworks are those of test/integration.

import { fork } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { median } from "./measure.mjs";

const BODY = JSON.stringify({ cents: 1250, customer: 7 });

/** The routes: each starts an app, with the middleware or without it, and returns its port. */
const frameworks = {
  async express(load, isGuarded) {
    const express = load("express");
    const { idempotency } = await import("../dist/express.js");
    const app = express();
    if (isGuarded) app.use(idempotency(await options()));
    app.use(express.json());
    app.post("/", (req, res) => res.json({ cents: req.body.cents }));
    const server = app.listen(0, "127.0.0.1");
    await once(server, "listening");
    return server.address().port;
  },
  async fastify(load, isGuarded) {
    const { idempotency } = await import("../dist/fastify.js");
    const app = load("fastify")();
    if (isGuarded) await app.register(idempotency, await options());
    app.post("/", async (req) => ({ cents: req.body.cents }));
    await app.listen({ port: 0, host: "127.0.0.1" });
    return app.server.address().port;
  },
};

async function options() {
  const { memory } = await import("../dist/backend.js");
  return { backend: memory(), name: "bench", tenant: () => "", required: false };
}

/** Serves one route, and tells the CPU time so far, in microseconds, whenever it is asked. */
async function serve(name, isGuarded) {
  const load = createRequire(new URL("../test/integration/package.json", import.meta.url));
  const port = await frameworks[name](load, isGuarded);
  process.on("message", () => {
    const { user, system } = process.cpuUsage();
    process.send(user + system);
  });
  process.on("disconnect", () => process.exit());
  process.send(port);
}

/** Sends requests, eight at a time. */
async function load(port, agent, count) {
  let left = count;
  const one = () =>
    new Promise((resolve, reject) => {
      const headers = { "content-type": "application/json", "content-length": BODY.length };
      const sent = request({ port, host: "127.0.0.1", method: "POST", headers, agent }, (response) => {
        response.resume().on("end", resolve);
      });
      sent.on("error", reject).end(BODY);
    });
  const run = async () => {
    while (left-- > 0) await one();
  };
  await Promise.all(Array.from({ length: 8 }, run));
}

async function start(name, isGuarded) {
  const child = fork(fileURLToPath(import.meta.url), ["serve", name, String(isGuarded)]);
  const [port] = await once(child, "message");
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const cpu = async () => {
    child.send("cpu");
    return (await once(child, "message"))[0];
  };
  const round = async (count) => {
    const before = await cpu();
    await load(port, agent, count);
    return ((await cpu()) - before) / count;
  };
  const stop = () => {
    agent.destroy();
    child.disconnect();
  };
  return { round, stop };
}

const [, , command, name, isGuarded] = process.argv;
if (command === "serve") await serve(name, isGuarded === "true");
else {
  const [rounds, count] = [60, 2000];
  for (const framework of Object.keys(frameworks)) {
    const servers = [await start(framework, false), await start(framework, true)];
    for (const { round } of servers) await round(2 * count);
    const found = [];
    for (let turn = 0; turn < rounds; turn++) {
      // Each begins as often as the other, because the speed of the machine drifts.
      const order = turn % 2 === 0 ? [0, 1] : [1, 0];
      const times = [];
      for (const index of order) times[index] = await servers[index].round(count);
      found.push(times);
    }
    for (const { stop } of servers) stop();
    const [bare, guarded] = [0, 1].map((index) => median(found.map((times) => times[index])));
    const ratio = median(found.map(([without, withKeys]) => withKeys / without));
    console.log(
      `${framework}: ${bare.toFixed(1)} µs bare, ${guarded.toFixed(1)} µs without a key: ratio ${ratio.toFixed(3)}`,
    );
  }
}
