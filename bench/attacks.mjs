// What attacks on the HTTP service cost an honest client: `npm run build && node bench/attacks.mjs` prints the client's percentiles
// during each attack, as ratios to those without one, and the memory of the service. `--minutes 10` then loads it for so long with
// console, metrics and log on, and prints its memory each half minute. Needs Linux, which shows the memory of a process.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const KEY = "the-key-of-an-honest-client";
const SECONDS = 8;

const program = fileURLToPath(new URL("../dist/cli.js", import.meta.url));

/** Starts the service with everything on. Its log is read, and dropped. */
async function start() {
  let isStarted = false;
  const child = spawn(
    process.execPath,
    [program, "serve", "--port", "0", "--store", "memory:", "--machine-id", "1", "--json"],
    {
      env: {
        PATH: process.env.PATH,
        HOME: "/tmp",
        BITFLAKE_API_KEYS: KEY,
        BITFLAKE_RATE_LIMIT: "60000000",
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  // The reason, if it does not start. Later its log is read and dropped.
  child.stderr.on("data", (text) => !isStarted && process.stderr.write(text));
  const [text] = await once(child.stdout, "data");
  isStarted = true;
  const { port } = new URL(JSON.parse(text).url);
  return { child, port: Number(port) };
}

/** Returns the memory of a process in MB. */
function memoryOf({ pid }) {
  const [, kb] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Math.round(Number(kb) / 1024);
}

const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

/** An honest client: 100 requests a second on four connections, each with a time limit of 10 s. */
function honest(port) {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const times = [];
  let errors = 0;
  const one = () =>
    new Promise((done) => {
      const startedAt = performance.now();
      const fail = () => {
        errors++;
        done();
      };
      const sent = request(
        {
          port,
          host: "127.0.0.1",
          path: "/generate_snowflake_id",
          agent,
          timeout: 10_000,
          headers: { "x-api-key": KEY },
        },
        (response) => {
          response.resume().on("end", () => {
            if (response.statusCode === 200) times.push(performance.now() - startedAt);
            else errors++;
            done();
          });
          response.on("error", fail);
        },
      );
      sent.on("timeout", () => sent.destroy(new Error("no answer in 10 s")));
      sent.on("error", fail);
      sent.end();
    });
  return {
    async run(seconds) {
      times.length = errors = 0;
      const pending = [];
      for (let sent = 0; sent < seconds * 100; sent++) {
        pending.push(one());
        await setTimeout(10);
      }
      await Promise.all(pending);
      const sorted = times.toSorted((a, b) => a - b);
      return {
        median: percentile(sorted, 0.5),
        p99: percentile(sorted, 0.99),
        answered: sorted.length,
        errors,
      };
    },
  };
}

/** Opens connections that the attacker keeps, and counts those that the service closed. */
function open(port, count, onOpen) {
  const sockets = Array.from({ length: count }, () => {
    const socket = connect(port, "127.0.0.1", () => onOpen?.(socket));
    socket.on("error", () => {});
    socket.resume();
    return socket;
  });
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}

const get = (path, headers = "") => `GET ${path} HTTP/1.1\r\nhost: localhost\r\n${headers}\r\n`;

/** Requests that parsers disagree about. Each must get one response that refuses it, or none. */
const SMUGGLING = [
  [
    "both lengths",
    "POST /decode/1 HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
  ],
  ["two lengths", "POST /decode/1 HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\ncontent-length: 40\r\n\r\n"],
  ["a signed length", "POST /decode/1 HTTP/1.1\r\nhost: a\r\ncontent-length: +0\r\n\r\n"],
  ["a folded header", "GET /livez HTTP/1.1\r\nhost: a\r\nx: 1\r\n 2\r\n\r\n"],
  ["a space before the colon", "GET /livez HTTP/1.1\r\nhost : a\r\n\r\n"],
  ["lines that end with LF", "GET /livez HTTP/1.1\nhost: a\n\n"],
  [
    "a chunk of no hexadecimal length",
    "POST /decode/1 HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
  ],
  [
    "another coding",
    "POST /decode/1 HTTP/1.1\r\nhost: a\r\ntransfer-encoding: identity, chunked;q=0\r\n\r\n0\r\n\r\n",
  ],
];

/** Sends each with a request hidden behind it. Returns those that got another answer than a refusal. */
async function smuggle(port) {
  const hidden = get("/generate_uuid", `x-api-key: ${KEY}\r\n`);
  const wrong = [];
  for (const [name, bytes] of SMUGGLING) {
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    socket.setEncoding("latin1").on("data", (text) => {
      answer += text;
    });
    socket.on("error", () => {});
    socket.write(bytes + hidden);
    await Promise.race([once(socket, "close"), setTimeout(2000)]);
    socket.destroy();
    const statuses = [...answer.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status));
    if (statuses.some((status) => status < 400)) wrong.push(`${name}: ${statuses.join(", ")}`);
  }
  return wrong;
}

/** The attacks: each starts, and returns a function that ends it. */
const attacks = {
  "no attack": () => () => {},
  "5,000 idle connections": (port) => open(port, 5000),
  "500 clients that send a header byte by byte": (port) => {
    const timers = [];
    const close = open(port, 500, (socket) => {
      socket.write("GET / HTTP/1.1\r\nx: ");
      timers.push(setInterval(() => socket.write("a"), 200));
    });
    return () => {
      for (const timer of timers) clearInterval(timer);
      close();
    };
  },
  "20 connections that send 1,000 requests at once, again and again, and do not read": (port) => {
    const requests = get("/generate_random_string/4096", `x-api-key: ${KEY}\r\n`).repeat(1000);
    return open(port, 20, (socket) => {
      socket.pause();
      // The service may close the connection. A write to a closed one ends at once, with an error.
      const send = () => socket.write(requests, (error) => !error && send());
      send();
    });
  },
  "16 connections with wrong keys": (port) => {
    let tries = 0;
    return open(port, 16, (socket) => {
      const next = () => socket.write(get("/generate_uuid", `x-api-key: a-wrong-key-${tries++}\r\n`));
      socket.on("data", next);
      next();
    });
  },
  "8 connections that send bodies of 50 MB": (port) => {
    const chunk = Buffer.alloc(65_536, 120);
    return open(port, 8, (socket) => {
      socket.write(
        `POST /v1/idgenerator/x/id HTTP/1.1\r\nhost: a\r\nx-api-key: ${KEY}\r\ncontent-length: 52428800\r\n\r\n`,
      );
      let left = 800;
      const send = () => {
        if (left-- > 0 && !socket.destroyed) socket.write(chunk, send);
      };
      send();
    });
  },
};

const service = await start();
const client = honest(service.port);
await client.run(3); // compiles the code
let calm;
console.log("attack | median ms | 99 % ms | ratio of the medians | answered | errors | memory MB");
for (const [name, attack] of Object.entries(attacks)) {
  const end = attack(service.port);
  await setTimeout(500);
  const { median, p99, answered, errors } = await client.run(SECONDS);
  const memory = memoryOf(service.child);
  end();
  calm ??= median;
  console.log(
    [name, median.toFixed(2), p99.toFixed(2), (median / calm).toFixed(1), answered, errors, memory].join(
      " | ",
    ),
  );
  await setTimeout(1000);
}
const wrong = await smuggle(service.port);
console.log(
  `${SMUGGLING.length} ways to smuggle a request: ${wrong.length === 0 ? "all refused" : wrong.join("; ")}`,
);

const minutes = Number(process.argv[process.argv.indexOf("--minutes") + 1]) || 0;
if (minutes > 0 && process.argv.includes("--minutes")) {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const headers = { "x-api-key": KEY };
  let requests = 0;
  let isOver = false;
  const read = (path) =>
    new Promise((done, fail) => {
      const sent = request({ port: service.port, host: "127.0.0.1", path, agent, headers }, (response) => {
        requests++;
        response.resume().on("end", done);
      });
      sent.on("error", fail);
      sent.end();
    });
  const paths = [
    "/generate_snowflake_id",
    "/generate_uuid?count=10",
    "/decode/1",
    "/nothing",
    "/generate_counter_id",
    "/capacity",
  ];
  const loops = Array.from({ length: 6 }, async (_, at) => {
    for (let sent = at; !isOver; sent++) await read(paths[sent % paths.length]);
  });
  const watch = (async () => {
    for (let second = 0; !isOver; second++) {
      await read("/status");
      if (second % 5 === 0) await read("/metrics");
      await setTimeout(1000);
    }
  })();
  const samples = [];
  for (let half = 0; half < minutes * 2; half++) {
    await setTimeout(30_000);
    samples.push(memoryOf(service.child));
  }
  isOver = true;
  await Promise.all([...loops, watch]);
  console.log(
    `${minutes} minutes, ${requests} requests, memory in MB each half minute: ${samples.join(" ")}`,
  );
  agent.destroy();
}
service.child.kill("SIGTERM");
await once(service.child, "exit");
process.exit(wrong.length === 0 ? 0 : 1);
