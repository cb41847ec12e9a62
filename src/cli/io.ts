// All that the command line reads and writes. It is an argument, so that a program, or a test, can be its own world.

/** Text that comes in. */
export interface Input extends AsyncIterable<string> {
  /** Whether a person types it. */
  readonly isTTY: boolean;
}

/** What a write rejects with where nobody reads any more, as after `| head`. */
export class OutputClosedError extends Error {}

/** Where text goes. */
export interface Output {
  /**
   * Resolves when the text was taken, so that who waits for it never writes faster than anybody reads; rejects with
   * {@link OutputClosedError} if nobody does.
   */
  write(text: string): Promise<void>;
  /** Whether a person reads it. */
  readonly isTTY: boolean;
  /** How wide it is, as far as that is known; it may change. */
  readonly columns: number | undefined;
}

/** What a command has around it. */
export interface Io {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder that the command was called in. */
  readonly cwd: string;
  /** The address of the program, beside which its package lies. */
  readonly programUrl: string;
  /** Milliseconds since 1970. */
  now(): number;
  /** From this call on, a first SIGINT, SIGTERM or SIGHUP aborts what is returned, and does not end the process. */
  stopSignal(): AbortSignal;
  /** Loads a module: one of the runtime's, or a file by its address. */
  import(name: string): Promise<unknown>;
}

/** What is used of `node:fs/promises`. */
interface Files {
  readFile(path: string, encoding: "utf8"): Promise<string>;
  access(path: string): Promise<void>;
}

/** What is used of `node:fs`, for what has to be done in one go. */
interface FilesSync {
  mkdirSync(path: string, options: { recursive: true; mode: number }): unknown;
  readdirSync(path: string): string[];
  readFileSync(path: string, encoding: "utf8"): string;
  openSync(path: string, flags: "a" | "wx", mode: number): number;
  writeFileSync(file: number, text: string): void;
  fsyncSync(file: number): void;
  closeSync(file: number): void;
  linkSync(from: string, to: string): void;
  unlinkSync(path: string): void;
  rmSync(path: string, options: { force: true }): void;
}

/** What is used of `node:os`. */
interface System {
  homedir(): string;
  platform(): string;
}

/** What is used of `node:path`. */
interface Paths {
  resolve(...parts: string[]): string;
  dirname(path: string): string;
}

/** What is used of `node:module`. */
interface Modules {
  createRequire(from: string): { resolve(name: string): string };
}

/** What is used of `node:url`. */
interface Urls {
  pathToFileURL(path: string): { readonly href: string };
}

interface NodeModules {
  readonly "node:fs": FilesSync;
  readonly "node:fs/promises": Files;
  readonly "node:os": System;
  readonly "node:path": Paths;
  readonly "node:module": Modules;
  readonly "node:url": Urls;
}

/** Loads a module of the runtime, by the part of it that is used here. */
export async function nodeModule<Name extends keyof NodeModules>(
  io: Io,
  name: Name,
): Promise<NodeModules[Name]> {
  return (await io.import(name)) as NodeModules[Name];
}

/** A path as seen from a folder; by default, from where the command was called. */
export async function pathFrom(io: Io, path: string, folder: string = io.cwd): Promise<string> {
  return (await nodeModule(io, "node:path")).resolve(io.cwd, folder, path);
}
