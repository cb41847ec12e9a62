// Responses to bytes that Node cannot parse as a request.

import { startTimer } from "../../backend/call.ts";
import { PROBLEM_CONTENT_TYPE, problemJson } from "../../http/problem.ts";
import type { ServerSocket } from "./server.ts";

/** The code of all such responses. */
export const MALFORMED_CODE = "ERR_MALFORMED_REQUEST";

/** The status and detail of Node's errors. Any other is a 400. */
const MALFORMED: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, "The headers are too large."],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "The request did not arrive in time."],
};

/** How long a client has to read the response and to close its side of the connection, in milliseconds. */
const LINGER_MS = 2000;

/** Errors after which nothing can be written. Node leaves the connection of a TLS handshake that takes too long to this listener. */
const UNANSWERABLE = ["ECONNRESET", "ERR_TLS_HANDSHAKE_TIMEOUT"];

/** Answers bytes that Node's parser refused. Returns the status, or `undefined` if the connection is closed. */
export function answerMalformed({ code = "" }: { code?: string }, socket: ServerSocket): number | undefined {
  if (!socket.writable || UNANSWERABLE.includes(code)) {
    socket.destroy();
    return undefined;
  }
  const [status, detail] = MALFORMED[code] ?? [400, "This is not an HTTP request."];
  const body = problemJson(status, MALFORMED_CODE, detail);
  const { title } = JSON.parse(body) as { title: string };
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    `content-type: ${PROBLEM_CONTENT_TYPE}`,
    "x-content-type-options: nosniff",
    `content-length: ${body.length}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
  // Otherwise the connection would be open, and count, until the client closes it.
  const stopTimer = startTimer(() => socket.destroy(), LINGER_MS, { background: true });
  socket.once("close", stopTimer);
  return status;
}
