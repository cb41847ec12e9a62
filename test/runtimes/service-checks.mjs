// What each program of docs/service.md must answer, whichever runtime it is on.

import assert from "node:assert/strict";
import { request } from "node:http";

/** Asks on a connection that stays open: one that a program has to end when it stops. */
async function ask(base, path, options) {
  const response = await fetch(`${base}${path}`, options);
  return [response.status, await response.json(), response.headers];
}

/** An address that nobody here has, for runtimes where a header says it. */
const ELSEWHERE = "192.0.2.7";

/** By their titles. Each is given the address of the program. */
export const checks = {
  async "a Snowflake ID"(base) {
    const [status, { id }] = await ask(base, "/generate_snowflake_id");
    assert.equal(status, 200);
    assert.match(id, /^\d{17,19}$/);
  },

  async "1,000 Snowflake IDs"(base) {
    const [status, { ids }] = await ask(base, "/generate_snowflake_id?count=1000");
    assert.equal(status, 200);
    assert.equal(new Set(ids).size, 1000);
  },

  async "three UUIDs"(base) {
    const [status, { ids }] = await ask(base, "/generate_uuid?count=3");
    assert.equal(status, 200);
    assert.equal(new Set(ids).size, 3);
  },

  async "the OpenAPI document"(base) {
    const [status, document] = await ask(base, "/openapi.json");
    assert.equal(status, 200);
    assert.equal(document.openapi, "3.1.0");
  },

  async "one numeric ID for one key"(base) {
    const post = (key, more) =>
      ask(base, "/v1/idgenerator/farmer/id", {
        method: "POST",
        headers: { "idempotency-key": key, ...more?.headers },
        body: more?.body,
      });
    const body = { headers: { "content-type": "application/json" }, body: '{"form":41}' };
    const answers = [await post("form-41"), await post('"form-41"', body), await post("form-42")];
    assert.deepEqual(
      answers.map(([status]) => status),
      [200, 200, 200],
    );
    const [first, again, other] = answers.map(([, { response }]) => response.id);
    assert.match(first, /^\d{10}$/);
    assert.equal(again, first);
    assert.notEqual(other, first);
  },

  /** More than a pool has after its first step: it must go on being filled. */
  async "numeric IDs, one after the other"(base) {
    const ids = new Set();
    for (let count = 0; count < 700; count++) {
      const [status, { response }] = await ask(base, "/v1/idgenerator/farmer/id", { method: "POST" });
      assert.equal(status, 200);
      ids.add(response.id);
    }
    assert.equal(ids.size, 700);
  },

  async "nothing elsewhere"(base) {
    const [status, { code }, headers] = await ask(base, "/nothing");
    assert.deepEqual([status, code], [404, "ERR_NOT_FOUND"]);
    assert.equal(headers.get("content-type"), "application/problem+json");
  },

  async "no body where there is none"(base) {
    for (const [method, status] of [
      ["HEAD", 200],
      ["OPTIONS", 204],
    ]) {
      const response = await fetch(`${base}/generate_uuid`, { method });
      assert.deepEqual([response.status, await response.text()], [status, ""]);
    }
  },

  async "a body that is too large"(base) {
    const [status, { code }] = await ask(base, "/v1/idgenerator/farmer/id", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify("x".repeat(100_000)),
    });
    assert.deepEqual([status, code], [413, "ERR_CONTENT_TOO_LARGE"]);
  },

  async "the client's address"(base, { said, isByHeader }) {
    await ask(base, "/generate_timestamp_id", { headers: { "cf-connecting-ip": ELSEWHERE } });
    const wanted = `client ${isByHeader ? ELSEWHERE : "127.0.0.1"}\n`;
    for (let tries = 0; !said().includes(wanted); tries++) {
      assert.ok(tries < 100, `it said ${said().slice(-300)}`);
      await new Promise((wake) => setTimeout(wake, 20));
    }
  },
};

/** Makes a program say whose requests it has answered, and listen at another port. */
export function adapted(code, port) {
  const spoken = code.replace(
    "createService({",
    "createService({ log: ({ client }) => console.log('client ' + client),",
  );
  assert.notEqual(spoken, code);
  return spoken.replaceAll("3000", String(port));
}

/**
 * Plays all checks.
 *
 * @param program `said()`, what it has printed so far; `isByHeader`, whether a header says whose requests they are
 * @returns title → "ok", or what is wrong
 */
export async function check(base, program) {
  const outcome = {};
  for (const [title, play] of Object.entries(checks)) {
    outcome[title] = await play(base, program).then(() => "ok", String);
  }
  return outcome;
}

/**
 * Begins a request whose body comes in two parts.
 *
 * @returns `finish()`: sends the second part; resolves to the status of the answer
 */
export async function beginSlowly(base) {
  const body = '{"form":43}';
  const headers = { "content-type": "application/json", "content-length": body.length };
  const asking = request(`${base}/v1/idgenerator/farmer/id`, { method: "POST", headers });
  const answer = new Promise((resolve, reject) => {
    asking.once("error", reject);
    asking.once("response", (response) => resolve(response.resume().statusCode));
  });
  answer.catch(() => {});
  await new Promise((sent) => asking.write(body.slice(0, 5), sent));
  // It is to be there, and waited for.
  await new Promise((wake) => setTimeout(wake, 200));
  return {
    finish: () => {
      asking.end(body.slice(5));
      return answer;
    },
  };
}

/** Waits until somebody answers, or the program ends. */
export async function untilUp(base, ended) {
  let isOver = false;
  const end = (how) => {
    isOver = true;
    throw new Error(`it ended: ${how}`);
  };
  const up = async () => {
    while (!isOver) {
      const response = await fetch(`${base}/openapi.json`).catch(() => undefined);
      if (response) return response.text();
      await new Promise((wake) => setTimeout(wake, 50));
    }
  };
  await Promise.race([up(), ended.then(end, end)]);
}
