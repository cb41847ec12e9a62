// The types of the fetch standard, for programs that know them and for those that do not.

/**
 * The `Request` of the program's own types: TypeScript's library `DOM`, `@types/node`, or those of Deno, Bun or Workers.
 * `unknown` in a program that has none of them.
 */
export type FetchRequest =
  typeof globalThis extends Record<"Request", Record<"prototype", infer Type>> ? Type : unknown;

/** The `Response` of the program's own types, as {@link FetchRequest} is its `Request`. */
export type FetchResponse =
  typeof globalThis extends Record<"Response", Record<"prototype", infer Type>> ? Type : unknown;

/** The `AbortSignal` of the program's own types, as {@link FetchRequest} is its `Request`. */
export type FetchAbortSignal =
  typeof globalThis extends Record<"AbortSignal", Record<"prototype", infer Type>> ? Type : unknown;
