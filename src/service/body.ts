// The body stage: bodies are read to their end and must be JSON, although no route uses their content.

import type { ServiceRequest } from "./message.ts";
import { HttpError } from "./response.ts";

/** Reads a body to its end and drops it. Asserts that it is empty, or JSON of at most `maxBytes`. */
export async function readAndCheckBody(request: ServiceRequest, maxBytes: number): Promise<void> {
  const bytes = await request.body(maxBytes).catch(() => {
    throw new HttpError(400, "ERR_MALFORMED_REQUEST", "The body ended early.");
  });
  if (bytes === undefined) {
    const rule = `The body must be at most ${maxBytes} bytes.`;
    throw new HttpError(413, "ERR_CONTENT_TOO_LARGE", rule, { connection: "close" });
  }
  if (bytes.length === 0) return;
  const type = request.header("content-type") ?? "";
  if (!/^application\/([\w.+-]+\+)?json *(;|$)/i.test(type)) {
    throw new HttpError(415, "ERR_UNSUPPORTED_MEDIA_TYPE", "A body must be application/json.");
  }
  try {
    JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new HttpError(400, "ERR_ARGUMENT", "The body must be JSON, in UTF-8.");
  }
}
