// Sends a Response of the fetch standard as the response of a Node server.

import { type HeaderSnapshot, isSameHeader } from "./capture.ts";
import type { NodeResponse } from "./nodeTypes.ts";

/** How the body is sent: by the response's own methods, unless they are captured. */
export interface BodySender {
  write(chunk: Uint8Array): boolean;
  end(chunk?: Uint8Array): unknown;
}

/** Sets the status and the headers. Headers that a handler has added to those outside it are removed. */
export function setHead(
  res: NodeResponse,
  { status, statusText, headers }: Response,
  outer: HeaderSnapshot,
): void {
  // Without a prototype, because a header may have the name of a method.
  const wanted: Record<string, string | string[]> = Object.create(null);
  headers.forEach((value, name) => {
    wanted[name] = name === "set-cookie" ? headers.getSetCookie() : value;
  });
  for (const [name, value] of Object.entries(res.getHeaders())) {
    if (name in wanted) continue;
    const before = outer[name];
    if (before === undefined) res.removeHeader(name);
    else if (!isSameHeader(value, before)) res.setHeader(name, [before].flat().map(String));
  }
  for (const [name, value] of Object.entries(wanted)) {
    // A header that has this value keeps its spelling.
    if (String(res.getHeader(name)) !== String(value)) res.setHeader(name, value);
  }
  res.statusCode = status;
  // HTTP/2 has no reason phrase, and warns of one.
  if ((res.statusMessage ?? "") !== statusText) res.statusMessage = statusText;
}

/** Resolves when the connection takes more bytes, or is closed. */
function untilDrained(res: NodeResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      res.removeListener("drain", done);
      res.removeListener("close", done);
      resolve();
    };
    res.once("drain", done);
    res.once("close", done);
  });
}

/** Resolves after the events that wait now. */
function afterEvents(): Promise<undefined> {
  const { setImmediate } = globalThis as unknown as {
    setImmediate(run: (value: undefined) => void): unknown;
  };
  return new Promise((resolve) => setImmediate(() => resolve(undefined)));
}

/**
 * Sends the body, and ends the response. A body that is complete is sent in one piece, so that Node adds its length.
 *
 * If the body breaks off, the connection is closed, so that the client does not take it for complete.
 */
export async function sendBody(
  res: NodeResponse,
  { body }: Response,
  sender: BodySender = res,
): Promise<void> {
  if (!body) return void sender.end();
  const reader = body.getReader();
  const onClose = () => void reader.cancel().catch(() => {});
  if (res.destroyed) return onClose();
  res.once("close", onClose);
  try {
    const first = await reader.read();
    const second = first.done ? undefined : reader.read();
    // The next part of a stream may come much later, or never.
    let part = first.done ? first : await Promise.race([second, afterEvents()]);
    if (first.done || part?.done) return void sender.end(first.value);
    if (!sender.write(first.value)) await untilDrained(res);
    for (part = await second; part && !part.done && !res.destroyed; part = await reader.read()) {
      if (!sender.write(part.value)) await untilDrained(res);
    }
    if (!res.destroyed) sender.end();
  } catch (error) {
    res.destroy(error as Error);
  } finally {
    res.removeListener("close", onClose);
  }
}
