// Request and response bodies: read up to a limit, and restored as streams.

/** A whole body within the limit; or the chunks that were read of a larger one, and a reader of the rest. */
export type BodyRead =
  | { readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly chunks: readonly Uint8Array[]; readonly rest: ReadableStreamDefaultReader<Uint8Array> };

/** Reads a body to its end, or until it has more than `maxBytes`. */
export async function readBody(body: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<BodyRead> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = body?.getReader();
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    // Any other value has another length or none, and would be copied as zeros.
    if (!(part.value instanceof Uint8Array)) throw new TypeError("a body must be of Uint8Arrays");
    chunks.push(part.value);
    length += part.value.length;
    if (reader && length > maxBytes) return { chunks, rest: reader };
  }
  return { bytes: concatBytes(chunks, length) };
}

/** Concatenates chunks that have `length` bytes in all. */
export function concatBytes(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Returns a body that was read in part as a stream from its start. */
export function streamFromStart({
  chunks,
  rest,
}: Extract<BodyRead, { rest: unknown }>): ReadableStream<Uint8Array> {
  const first = [...chunks];
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = first.shift();
      if (chunk) return controller.enqueue(chunk);
      const { done, value } = await rest.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => rest.cancel(reason),
  });
}
