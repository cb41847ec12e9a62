// Runs the test files of other middlewares and limiters, unmodified, on bitflake by adapters.
//
//   node test/peers/run.mjs <folder> [--only <name>] [--source <checkout of bitflake>]
//
// <folder> has a checkout of each package in peers.ts, at its commit, in a folder with its name, and next to them the packages
// that their tests import:
//
//   git clone https://github.com/<repository> <folder>/<name> && git -C <folder>/<name> checkout <commit>
//   npm install --prefix <folder> --ignore-scripts supertest@7 chai@4 sinon@17 node-mocks-http@1 @faker-js/faker@10 \
//     ratelimit-header-parser@0.1 @express-rate-limit/tsconfig@1 hono@4 express@5 body-parser@1 fastify@5 fastify-plugin@5 \
//     redis@4 ioredis@5 @nestjs/{common,core,platform-express,platform-fastify,testing}@11 @nestjs/config@4 reflect-metadata rxjs
//
// It needs Node 22, and starts a redis-server of its own, because some of the tests delete all keys. It is no part of CI, which
// has no network.
//
// An adapter (adapters/) has the interface of its package and translates it to ours: names, options, the words of errors. It
// implements nothing, so a case fails if bitflake lacks its feature. Each case that fails has a reason in argued.ts. A case that fails without one,
// or passes in spite of one, fails the run.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { argued } from "./argued.ts";
import { peers } from "./peers.ts";

const { values, positionals } = parseArgs({
  options: { only: { type: "string" }, source: { type: "string" } },
  allowPositionals: true,
});
const [folder] = positionals;
if (!folder) throw new Error("usage: node test/peers/run.mjs <folder> [--only <name>] [--source <checkout>]");

const root = fileURLToPath(new URL("../..", import.meta.url));
const work = mkdtempSync(join(tmpdir(), "peers-"));

const freePort = () =>
  new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

/** Runs the test files of a peer. Returns its cases. */
function casesOf(peer, port) {
  const report = join(work, `${peer.name}.json`);
  const env = {
    ...process.env,
    PEER: peer.name,
    PEER_FOLDER: resolve(folder, peer.name),
    PEER_SOURCE: values.source ? resolve(values.source) : "",
    PEER_REDIS_PORT: String(port),
    TEST_REPORT: report,
  };
  const vitest = ["vitest", "run", "--config", "test/peers/vitest.config.ts"];
  const { stderr } = spawnSync("npx", vitest, { cwd: root, env, encoding: "utf8" });
  const { testResults } = JSON.parse(readFileSync(report, "utf8"));
  const failed = testResults.filter(({ assertionResults }) => assertionResults.length === 0);
  if (failed.length > 0) throw new Error(`${peer.name}: ${failed[0].message}\n${stderr}`);
  return testResults.flatMap(({ assertionResults }) =>
    assertionResults.map(({ fullName, status, failureMessages }) => ({
      title: fullName,
      isPassed: status === "passed",
      message: failureMessages[0]?.split("\n", 1)[0],
    })),
  );
}

/** Prints the cases of a peer that are not as argued.ts says. Returns its row of the table, and how many those are. */
function judge(peer, cases) {
  const reasons = argued[peer.name] ?? [];
  const reasonOf = (title) =>
    reasons.find(({ cases: patterns }) => patterns.some((pattern) => pattern.test(title)));
  const counts = { passed: 0, argued: 0, internal: 0, wrong: 0 };
  for (const { title, isPassed, message } of cases) {
    const reason = reasonOf(title);
    if (isPassed) counts.passed++;
    else if (reason) counts[reason.kind]++;
    if (!isPassed && !reason) {
      counts.wrong++;
      console.log(`FAILED ${peer.name}: ${title}\n  ${message}`);
    }
  }
  for (const { cases: patterns, mayPass } of reasons) {
    if (mayPass) continue;
    for (const pattern of patterns) {
      const matches = cases.filter(({ title }) => pattern.test(title));
      if (matches.length > 0 && matches.some(({ isPassed }) => !isPassed)) continue;
      counts.wrong++;
      console.log(`NO LONGER ARGUED ${peer.name}: ${pattern}`);
    }
  }
  const { passed, argued: different, internal } = counts;
  const row = [peer.name, peer.commit.slice(0, 7), cases.length, passed, different, internal];
  return { row, wrong: counts.wrong };
}

const port = await freePort();
const redis = spawn("redis-server", ["--port", String(port), "--save", "", "--dir", work], {
  stdio: "ignore",
});
try {
  const chosen = peers.filter(({ name }) => !values.only || name === values.only);
  const judged = chosen.map((peer) => judge(peer, casesOf(peer, port)));
  console.log("| package | commit | cases | pass | argued | internal |\n|---|---|---:|---:|---:|---:|");
  for (const { row } of judged) console.log(`| ${row.join(" | ")} |`);
  if (judged.some(({ wrong }) => wrong > 0)) process.exitCode = 1;
} finally {
  redis.kill();
  rmSync(work, { recursive: true, force: true });
}
