// Pipelining: many requests in one packet cost what they cost one at a time, and do not delay other clients.

import { fork } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { root } from "../docs/snippet.ts";

const program = join(root, "test/integration/service/memory.mjs");
const dist = process.env.SERVICE_DIST ?? join(root, "dist");

/** Starts a service in another process, with its own memory and event loop. */
async function start() {
  const child = fork(program, [JSON.stringify({ dist: `${pathToFileURL(dist).href}/` })], { execArgv: [] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [{ url }] = (await once(child, "message")) as [{ url: string }];
  return {
    url,
    port: Number(new URL(url).port),
    async rss(): Promise<number> {
      child.send("rss");
      const [{ rss }] = (await once(child, "message")) as [{ rss: number }];
      return rss;
    },
  };
}

const REQUESTS = 1400;
const PACKET = "GET /generate_snowflake_id?count=1000 HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(REQUESTS);

async function attacker(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** Sends one request after another until the end. Resolves to the durations of the responses, sorted. */
async function measureOthers(url: string, isOver: () => boolean): Promise<readonly number[]> {
  const times: number[] = [];
  while (!isOver()) {
    const startMs = performance.now();
    const response = await fetch(`${url}/generate_uuid`);
    expect(response.status).toBe(200);
    await response.text();
    times.push(performance.now() - startMs);
    await setTimeout(2);
  }
  return times.sort((one, other) => one - other);
}

/** Asserts that other clients were not delayed: by the median, because the machine may be busy. */
function assertNotDelayed(title: string, times: readonly number[], grownBytes: number) {
  const [median = 0, longest = 0] = [times[times.length >> 1], times.at(-1)];
  const grownMb = grownBytes / 2 ** 20;
  console.info(
    `pipelining, ${title}: ${times.length} other responses, median ${median.toFixed(0)} ms, longest ${longest.toFixed(0)} ms; ${grownMb.toFixed(0)} MB`,
  );
  expect(times.length).toBeGreaterThan(20);
  expect(median).toBeLessThan(100);
  expect(grownMb).toBeLessThan(200);
}

test("a client that reads gets all of 1,400 responses, and other clients are not delayed", async () => {
  const { url, port, rss } = await start();
  await (await fetch(`${url}/generate_uuid`)).text();
  const before = await rss();
  const socket = await attacker(port);
  let responses = 0;
  let isOver = false;
  let tail = "";
  let most = 0;
  socket.on("data", (data) => {
    const text = tail + data.toString("latin1");
    responses += text.split("HTTP/1.1 200 OK").length - 1;
    // The beginning of a status line may be at the end of a chunk.
    tail = text.slice(-14);
  });
  const measuring = measureOthers(url, () => isOver);
  socket.write(PACKET);
  while (responses < REQUESTS) {
    await setTimeout(50);
    most = Math.max(most, await rss());
  }
  isOver = true;
  expect(responses).toBe(REQUESTS);
  assertNotDelayed("read", await measuring, most - before);
});

test("a client that sends and does not read costs no memory, and other clients are not delayed", async () => {
  const { url, port, rss } = await start();
  await (await fetch(`${url}/generate_uuid`)).text();
  const before = await rss();
  const socket = await attacker(port);
  socket.pause();
  let isOver = false;
  const measuring = measureOthers(url, () => isOver);
  let most = 0;
  for (let packet = 0; packet < 40; packet++) {
    socket.write(PACKET);
    await setTimeout(50);
    most = Math.max(most, await rss());
  }
  isOver = true;
  assertNotDelayed("unread", await measuring, most - before);
});
