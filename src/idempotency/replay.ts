// Responses as text, to be kept and sent again: status, headers and the bytes of the body.

/** What is between two neighbours on the way, and not part of the response (RFC 9110, 7.6.1). */
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

/** A cookie is for whoever asked then: a session, or a token. */
const NOT_REPLAYED = [...HOP_BY_HOP, "set-cookie"];

/** The header that marks a replay. */
export const REPLAYED_HEADER = "idempotent-replayed";

/** How many bytes become characters at once: an argument each. */
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

/** Reads it, marked as a replay. */
export function readResponse(text: string): Response {
  const [status, statusText, headers, body] = JSON.parse(text) as [
    number,
    string,
    [string, string][],
    string,
  ];
  const bytes = Uint8Array.from(atob(body), (character) => character.charCodeAt(0));
  // A 204 must have no body at all.
  const response = new Response(bytes.length > 0 ? bytes : null, { status, statusText, headers });
  response.headers.set(REPLAYED_HEADER, "true");
  return response;
}
