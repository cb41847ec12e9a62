// Responses as strings, to be stored and replayed: status, headers and the bytes of the body.

/** Headers of one connection, which are not part of the response (RFC 9110, 7.6.1). */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** Cookies are not replayed, because they belong to the session of the first client. */
const NOT_REPLAYED = [...HOP_BY_HOP, "set-cookie"];

/** The header that marks a replay. */
export const REPLAYED_HEADER = "idempotent-replayed";

/** How many bytes one call converts to characters. Each byte is an argument. */
const CHUNK = 8192;

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  }
  return btoa(text);
}

/** Writes a response whose body has been read. */
export function writeResponse({ status, statusText, headers }: Response, body: Uint8Array): string {
  const named = (headers.get("connection") ?? "").toLowerCase().split(/[\s,]+/);
  const dropped = new Set([...NOT_REPLAYED, ...named]);
  const kept: [string, string][] = [];
  headers.forEach((value, name) => {
    if (!dropped.has(name)) kept.push([name, value]);
  });
  return JSON.stringify([status, statusText, kept, toBase64(body)]);
}

/** Reads a string of {@link writeResponse}, and marks the response as a replay. */
export function readResponse(text: string): Response {
  const [status, statusText, headers, body] = JSON.parse(text) as [
    number,
    string,
    [string, string][],
    string,
  ];
  const bytes = Uint8Array.from(atob(body), (character) => character.charCodeAt(0));
  // Null if it is empty, because a 204 must not have a body.
  const response = new Response(bytes.length > 0 ? bytes : null, { status, statusText, headers });
  response.headers.set(REPLAYED_HEADER, "true");
  return response;
}
