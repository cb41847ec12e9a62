// The members of Hono's context that the adapter uses, so that it does not need Hono's types.

import type { FetchRequest, FetchResponse } from "../http/fetchTypes.ts";

/** The context of a request of Hono. */
export interface HonoContext<Raw = FetchRequest, Res = FetchResponse> {
  /** The request. */
  readonly req: {
    /** The request of the fetch standard. */
    raw: Raw;
    /** The body in the forms in which it was read. */
    readonly bodyCache?: Readonly<Record<string, unknown>>;
  };
  /** The response so far. */
  res: Res;
  /** Whether a handler has made a response. */
  readonly finalized: boolean;
  /** Makes a response with the headers so far. */
  body(data: null): Res;
}

/** Middleware of Hono. */
export type HonoMiddleware<C> = (c: C, next: () => Promise<void>) => Promise<FetchResponse | undefined>;
