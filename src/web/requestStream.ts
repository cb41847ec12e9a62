// The body of a Node request as a stream, read as fast as its reader takes it.

import type { NodeRequest } from "./nodeTypes.ts";

/** A request of Node, which is a stream of chunks. */
interface Chunks {
  iterator(options: { readonly destroyOnReturn: boolean }): AsyncIterator<Uint8Array>;
}

/** Returns the body of a request that nothing has read. */
export function streamOf(raw: NodeRequest): ReadableStream<Uint8Array> {
  let chunks: AsyncIterator<Uint8Array> | undefined;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        // The connection stays open for the response if the reader stops.
        chunks ??= (raw as unknown as Chunks).iterator({ destroyOnReturn: false });
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(new Uint8Array(value));
      },
      async cancel() {
        await chunks?.return?.();
        // The response is decided, so the rest is discarded.
        raw.resume?.();
      },
    },
    { highWaterMark: 0 },
  );
}
