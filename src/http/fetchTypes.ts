// Types of the fetch standard, for programs with and without their declarations.

/**
 * The `Request` of the program's own types: TypeScript's library `DOM`, `@types/node`, or those of Deno, Bun or
 * Workers. `unknown` in a program without any of them.
 */
export type FetchRequest =
  typeof globalThis extends Record<"Request", Record<"prototype", infer Type>> ? Type : unknown;

/** The `Response` of the program's own types, or `unknown`: see {@link FetchRequest}. */
export type FetchResponse =
  typeof globalThis extends Record<"Response", Record<"prototype", infer Type>> ? Type : unknown;

/** The `AbortSignal` of the program's own types, or `unknown`: see {@link FetchRequest}. */
export type FetchAbortSignal =
  typeof globalThis extends Record<"AbortSignal", Record<"prototype", infer Type>> ? Type : unknown;
