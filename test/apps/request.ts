// Requests of the tests to the server of an app, which listens on the port in the variable PORT.

import { setTimeout as sleep } from "node:timers/promises";

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** Sends a request. While no server listens, as at the start of an app, tries again. */
export async function request(path: string, init: RequestInit = {}): Promise<Reply> {
  for (let tries = 0; ; tries++) {
    try {
      const response = await fetch(`http://localhost:${process.env.PORT}${path}`, init);
      return { status: response.status, headers: response.headers, body: await response.text() };
    } catch (error) {
      // Two minutes, which only an app that does not start reaches.
      if (tries === 6000) throw error;
      await sleep(20);
    }
  }
}

/** Sends a JSON body. */
export function post(path: string, value: unknown, headers: Record<string, string> = {}): Promise<Reply> {
  const all = { "content-type": "application/json", ...headers };
  return request(path, { method: "POST", body: JSON.stringify(value), headers: all });
}
