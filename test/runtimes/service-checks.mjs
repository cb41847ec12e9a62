// Checks of the programs in docs/service.md, the same on every runtime.

import assert from "node:assert/strict";
import { request } from "node:http";

/** Sends a request on a connection that stays open, so that the program has to close it when it stops. */
async function send(base, path, options) {
  const response = await fetch(`${base}${path}`, options);
  return [response.status, await response.json(), response.headers];
}

/** A client address that no process here has, for runtimes that take it from a header. */
const FORWARDED_ADDRESS = "192.0.2.7";

/** The checks by title. Each gets the base URL of the program. */
export const checks = {
  async "a Snowflake ID"(base) {
    const [status, { id }] = await send(base, "/generate_snowflake_id");
    assert.equal(status, 200);
    assert.match(id, /^\d{17,19}$/);
  },

  async "1,000 Snowflake IDs"(base) {
    const [status, { ids }] = await send(base, "/generate_snowflake_id?count=1000");
    assert.equal(status, 200);
    assert.equal(new Set(ids).size, 1000);
  },

  async "three UUIDs"(base) {
    const [status, { ids }] = await send(base, "/generate_uuid?count=3");
    assert.equal(status, 200);
    assert.equal(new Set(ids).size, 3);
  },

  async "the OpenAPI document"(base) {
    const [status, document] = await send(base, "/openapi.json");
    assert.equal(status, 200);
    assert.equal(document.openapi, "3.1.0");
  },

  async "one numeric ID for one key"(base) {
    const post = (key, more) =>
      send(base, "/v1/idgenerator/farmer/id", {
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

  /** More than a pool has after its first refill, so that it must be refilled again. */
  async "numeric IDs, one after the other"(base) {
    const ids = new Set();
    for (let count = 0; count < 700; count++) {
      const [status, { response }] = await send(base, "/v1/idgenerator/farmer/id", { method: "POST" });
      assert.equal(status, 200);
      ids.add(response.id);
    }
    assert.equal(ids.size, 700);
  },

  async "404 at other paths"(base) {
    const [status, { code }, headers] = await send(base, "/nothing");
    assert.deepEqual([status, code], [404, "ERR_NOT_FOUND"]);
    assert.equal(headers.get("content-type"), "application/problem+json");
  },

  async "no body for HEAD and OPTIONS"(base) {
    for (const [method, status] of [
      ["HEAD", 200],
      ["OPTIONS", 204],
    ]) {
      const response = await fetch(`${base}/generate_uuid`, { method });
      assert.deepEqual([response.status, await response.text()], [status, ""]);
    }
  },

  async "a body that is too large"(base) {
    const [status, { code }] = await send(base, "/v1/idgenerator/farmer/id", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify("x".repeat(100_000)),
    });
    assert.deepEqual([status, code], [413, "ERR_CONTENT_TOO_LARGE"]);
  },

  async "the client's address"(base, { said, isByHeader }) {
    await send(base, "/generate_timestamp_id", { headers: { "cf-connecting-ip": FORWARDED_ADDRESS } });
    const expected = `client ${isByHeader ? FORWARDED_ADDRESS : "127.0.0.1"}\n`;
    for (let tries = 0; !said().includes(expected); tries++) {
      assert.ok(tries < 100, `the output was ${said().slice(-300)}`);
      await new Promise((wake) => setTimeout(wake, 20));
    }
  },
};

/** Returns a program changed to print the client of each request, and to listen at another port. */
export function adapted(code, port) {
  const logging = code.replace(
    "createService({",
    "createService({ log: ({ client }) => console.log('client ' + client),",
  );
  assert.notEqual(logging, code);
  return logging.replaceAll("3000", String(port));
}

/**
 * Runs all checks.
 *
 * @param program `said()` returns its output so far; `isByHeader` is whether the client's address comes from a header
 * @returns title → "ok", or the error
 */
export async function check(base, program) {
  const outcome = {};
  for (const [title, run] of Object.entries(checks)) {
    outcome[title] = await run(base, program).then(() => "ok", String);
  }
  return outcome;
}

/**
 * Starts a request whose body is sent in two parts.
 *
 * @returns `finish()`: sends the second part, and resolves to the status of the response
 */
export async function beginSlowly(base) {
  const body = '{"form":43}';
  const headers = { "content-type": "application/json", "content-length": body.length };
  const sending = request(`${base}/v1/idgenerator/farmer/id`, { method: "POST", headers });
  const status = new Promise((resolve, reject) => {
    sending.once("error", reject);
    sending.once("response", (response) => resolve(response.resume().statusCode));
  });
  status.catch(() => {});
  await new Promise((sent) => sending.write(body.slice(0, 5), sent));
  // The first part must arrive.
  await new Promise((wake) => setTimeout(wake, 2000));
  return {
    finish: () => {
      sending.end(body.slice(5));
      return status;
    },
  };
}

/** Resolves when the program answers, and rejects if it exits before. */
export async function untilUp(base, ended) {
  let isOver = false;
  const end = (how) => {
    isOver = true;
    throw new Error(`the program exited: ${how}`);
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
