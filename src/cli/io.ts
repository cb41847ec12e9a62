// Everything that the command line reads and writes, as one argument of each command. Tests and other programs pass their own.

/** Text input. */
export interface Input extends AsyncIterable<string> {
  /** Whether it is a terminal. */
  readonly isTTY: boolean;
}

/** The error of a write whose reader is gone, as after `| head`. */
export class OutputClosedError extends Error {}

/** Text output. */
export interface Output {
  /**
   * Resolves when the text is accepted, so a caller that awaits it never writes faster than the reader reads. Rejects
   * with {@link OutputClosedError} if the reader is gone.
   */
  write(text: string): Promise<void>;
  /** Whether it is a terminal. */
  readonly isTTY: boolean;
  /** The width of the terminal, if it is known. It may change. */
  readonly columns: number | undefined;
}

/** The environment of a command. */
export interface Io {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The current folder. */
  readonly cwd: string;
  /** The URL of the program's file. The packages beside it are available to the command. */
  readonly programUrl: string;
  /** Returns milliseconds since 1970. */
  now(): number;
  /**
   * Returns a signal that the first SIGINT, SIGTERM or SIGHUP aborts. From this call on, that first one does not end the process.
   *
   * @param onHangup called with each SIGHUP, which then does not abort the signal
   */
  stopSignal(onHangup?: () => void): AbortSignal;
  /** Imports a module of the runtime, or a file by its URL. */
  import(name: string): Promise<unknown>;
}

/** The part of `node:fs/promises` that the command line uses. */
interface Files {
  readFile(path: string, encoding: "utf8"): Promise<string>;
  writeFile(path: string, text: string): Promise<void>;
  access(path: string): Promise<void>;
}

/** The part of `node:fs` that the command line uses, for steps that must not be interleaved. */
interface FilesSync {
  mkdirSync(path: string, options: { mode: number }): unknown;
  statSync(path: string): { isDirectory(): boolean };
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

/** The part of `node:os` that the command line uses. */
interface System {
  homedir(): string;
  hostname(): string;
  platform(): string;
  availableParallelism(): number;
}

/** The part of `node:process` that the command line uses. */
interface ThisProcess {
  readonly pid: number;
  /** The channel to the parent process, if there is one. */
  readonly channel?: { unref(): void } | undefined;
  send?(message: object, handle: undefined, options: undefined, done: () => void): void;
  on(event: "message", listener: (message: unknown) => void): void;
}

/** A worker process of `node:cluster`. */
export interface ClusterWorker {
  readonly process: object;
  isConnected(): boolean;
  send(message: object, done: () => void): unknown;
  on(event: "message", listener: (message: unknown) => void): unknown;
  on(event: "exit", listener: (code: number | null, signal: string | null) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "listening", listener: () => void): unknown;
}

/** The part of `node:cluster` that the command line uses. */
interface Cluster {
  readonly isPrimary: boolean;
  readonly worker?: { readonly id: number };
  readonly SCHED_RR: number;
  schedulingPolicy: number;
  setupPrimary(settings: { serialization: "advanced" }): void;
  fork(env: Readonly<Record<string, string>>): ClusterWorker;
}

/** The part of `node:path` that the command line uses. */
interface Paths {
  resolve(...parts: string[]): string;
  dirname(path: string): string;
}

/** The part of `node:module` that the command line uses. */
interface Modules {
  createRequire(from: string): { resolve(name: string): string };
}

/** The part of `node:url` that the command line uses. */
interface Urls {
  pathToFileURL(path: string): { readonly href: string };
}

/** The modules of Node that the command line imports, by name. */
export interface NodeModules {
  readonly "node:cluster": { readonly default: Cluster };
  readonly "node:fs": FilesSync;
  readonly "node:fs/promises": Files;
  readonly "node:os": System;
  readonly "node:path": Paths;
  readonly "node:process": { readonly default: ThisProcess };
  readonly "node:module": Modules;
  readonly "node:url": Urls;
}

/** Imports a module of the runtime. */
export async function nodeModule<Name extends keyof NodeModules>(
  io: Io,
  name: Name,
): Promise<NodeModules[Name]> {
  return (await io.import(name)) as NodeModules[Name];
}

/** Resolves a path that is relative to a folder, by default to the current one. */
export async function pathFrom(io: Io, path: string, folder: string = io.cwd): Promise<string> {
  return (await nodeModule(io, "node:path")).resolve(io.cwd, folder, path);
}
