// The request of a Hono context for the rules: its own, or after a parser one with the body that Hono has kept.

import { canonicalBytes } from "./canonical.ts";
import type { HonoContext } from "./honoTypes.ts";
import { UnseenBodyError } from "./requestBody.ts";

/** The forms in which Hono keeps the whole of a body, the best first. The bytes of the same form differ by its boundary. */
const FORMS = ["formData", "arrayBuffer", "blob", "text", "json"] as const;

/** Returns the entries of a form, a file with its bytes. */
async function formEntries(form: FormData): Promise<unknown[]> {
  const entries: [string, FormDataEntryValue][] = [];
  form.forEach((value, name) => {
    entries.push([name, value]);
  });
  const read = entries.map(async ([name, value]) =>
    typeof value === "string"
      ? [name, value]
      : [name, value.name, value.type, new Uint8Array(await value.arrayBuffer())],
  );
  return Promise.all(read);
}

/** Returns the body that Hono keeps, as bytes. */
async function keptBytes(bodyCache: Readonly<Record<string, unknown>> = {}): Promise<Uint8Array> {
  for (const form of FORMS) {
    const kept = await bodyCache[form];
    if (kept === undefined) continue;
    if (kept instanceof ArrayBuffer) return new Uint8Array(kept);
    if (kept instanceof Blob) return new Uint8Array(await kept.arrayBuffer());
    const bytes = canonicalBytes(kept instanceof FormData ? await formEntries(kept) : kept);
    if (bytes) return bytes;
  }
  throw new UnseenBodyError(undefined);
}

/** Returns the request of a context, with a body that can be read. */
export function honoRequest({ req: { raw, bodyCache } }: HonoContext<Request>): Request {
  if (!raw.bodyUsed && !raw.body?.locked) return raw;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        controller.enqueue(await keptBytes(bodyCache));
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  const { method, headers, signal } = raw;
  // Node refuses a body that is a stream without `duplex`.
  const init = { method, headers, signal, body, duplex: "half" };
  return new Request(raw.url, init);
}
