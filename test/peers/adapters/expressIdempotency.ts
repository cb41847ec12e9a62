// express-idempotency's service on bitflake/express. A call of its middleware ends when the request was passed on or answered.

import { memory } from "bitflake/backend";
import { idempotency as middleware } from "bitflake/express";

interface Validator {
  isValidForPersistence(response: { readonly statusCode: number }): boolean;
}

interface Options {
  readonly idempotencyKeyHeader?: string;
  readonly responseValidator?: Validator;
}

interface Res {
  getHeader(name: string): unknown;
  end(...all: unknown[]): unknown;
}

export class DefaultIntentValidator {}
export class InMemoryDataAdapter {
  async delete(): Promise<void> {}
}
export class SuccessfulResponseValidator implements Validator {
  isValidForPersistence({ statusCode }: { readonly statusCode: number }): boolean {
    return statusCode >= 200 && statusCode < 300;
  }
}

export class IdempotencyService {
  readonly #handle: (req: never, res: never, next: (error?: unknown) => void) => void;
  readonly #responses = new WeakMap<object, Res>();

  constructor({ idempotencyKeyHeader, responseValidator }: Options = {}) {
    const validator = responseValidator ?? new SuccessfulResponseValidator();
    this.#handle = middleware<never>({
      backend: memory(),
      name: "peer",
      tenant: () => "",
      required: false,
      methods: ["GET", "POST", "PUT", "PATCH", "DELETE"],
      keeps: (statusCode) => validator.isValidForPersistence({ statusCode }),
      ...(idempotencyKeyHeader && { header: idempotencyKeyHeader }),
    });
  }

  provideMiddlewareFunction = (req: object, res: Res, next: (error?: unknown) => void) => {
    // A mock of a request has no stream, which would be a body that somebody has read.
    Object.assign(req, { rawBody: "" });
    this.#responses.set(req, res);
    return new Promise<void>((resolve) => {
      const end = res.end.bind(res);
      res.end = (...all) => {
        const result = end(...all);
        resolve();
        return result;
      };
      this.#handle(req as never, res as never, (error) => {
        next(error);
        resolve();
      });
    });
  };

  isHit(req: object): boolean {
    return this.#responses.get(req)?.getHeader("idempotent-replayed") === "true";
  }

  reportError(): Promise<void> {
    throw new Error("work that fails answers with an error, or passes it on");
  }
}

export const ERROR_MSG_NOT_INITIALIZED = "not initialized";
let shared: IdempotencyService | undefined;

export function getSharedIdempotencyService(): IdempotencyService {
  if (!shared) throw new Error(ERROR_MSG_NOT_INITIALIZED);
  return shared;
}

export function idempotency(options?: Options) {
  shared = new IdempotencyService(options);
  return shared.provideMiddlewareFunction;
}
