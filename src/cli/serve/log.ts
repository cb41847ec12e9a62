// The log of the service: one line for each request and event, on the standard error output.

import type { ServiceEvent, ServiceLogEntry } from "../../service/index.ts";
import { describeError } from "../errors.ts";
import type { Io, Output } from "../io.ts";
import { printable } from "../terminal/color.ts";

/** The form of the lines. */
export type LogFormat = "json" | "text" | "none";

/** An entry of the log. */
type LogEntry = ServiceLogEntry | ServiceEvent | ProgramEvent;

/** How many characters may wait for the reader. Further lines are lost, and counted. */
const MAX_QUEUED_CHARS = 1_048_576;

/** The longest line of text, without the error: more than the path, the addresses and the request ID that the service logs. */
const MAX_TEXT_LINE = 2000;

/** How many causes of an error are read: an error may be its own cause. */
const MAX_CAUSE_DEPTH = 5;

/** Returns the form that is set; otherwise text on a terminal, unless the output is JSON, and JSON elsewhere. */
export function resolveLogFormat(log: LogFormat | undefined, isJson: boolean, { stderr }: Io): LogFormat {
  return log ?? (stderr.isTTY && !isJson ? "text" : "json");
}

/** Returns the messages of an error and its causes, without repetitions. */
function errorReason(error: unknown): string {
  const reasons: string[] = [];
  let cause = error;
  for (let depth = 0; depth < MAX_CAUSE_DEPTH && cause !== undefined; depth++) {
    const { message } = describeError(cause);
    // Many errors quote the message of their cause.
    if (message !== "" && !reasons.some((reason) => reason.includes(message))) reasons.push(message);
    cause = (Object(cause) as { cause?: unknown }).cause;
  }
  return reasons.join(": ");
}

/** Returns a line of JSON. */
function jsonLine(entry: LogEntry): string {
  const { error } = entry;
  return JSON.stringify(error === undefined ? entry : { ...entry, error: errorReason(error) });
}

/**
 * Returns the text line of a request. The values of bounded length come first, so that their columns are aligned.
 */
function requestLine(entry: ServiceLogEntry): string {
  const { time, level, method, path, status, durationMs, client, address, requestId, code } = entry;
  const parts = [
    time,
    level.padEnd(5),
    status,
    `${durationMs.toFixed(3)} ms`.padStart(12),
    (method || "-").padEnd(4),
    path || "-",
    client || "-",
    ...(address === "" || address === client ? [] : [address]),
    requestId,
    ...(code === undefined ? [] : [code]),
  ];
  return parts.join(" ");
}

/** Returns the text line of an event. */
function eventLine(entry: ServiceEvent | ProgramEvent): string {
  const { time, level, event, message } = entry;
  const facts = ["node", "store", "type", "worker"].flatMap((name) => {
    const value = (entry as unknown as Readonly<Record<string, unknown>>)[name];
    return value === undefined ? [] : [`${name} ${value}`];
  });
  return [time, level.padEnd(5), event, ...facts, message].join(" ");
}

/** Returns a line of text. */
function textLine(entry: LogEntry): string {
  const line = printable("event" in entry ? eventLine(entry) : requestLine(entry), MAX_TEXT_LINE);
  return entry.error === undefined ? line : `${line}: ${errorReason(entry.error)}`;
}

/** An event of the program that runs the service. */
interface ProgramEvent {
  readonly time: string;
  readonly level: "info" | "warn" | "error";
  /** `log_lines_lost`, or the event of a worker. */
  readonly event: string;
  readonly message: string;
  /** How many lines were lost. */
  readonly count?: number;
  /** The number of the worker. */
  readonly worker?: number;
  readonly error?: undefined;
}

/**
 * Writes lines without waiting for the reader: those of one turn of the event loop together, because a write takes longer than
 * an answer, but an error at once. It drops lines that come faster than they are read, so its memory is bounded.
 */
class LogWriter {
  readonly #output: Output;
  readonly #lineOf: (entry: LogEntry) => string;
  /** The lines of this turn. */
  #text = "";
  /** How many characters the reader has not accepted yet. */
  #waiting = 0;
  #lost = 0;

  constructor(output: Output, lineOf: (entry: LogEntry) => string) {
    this.#output = output;
    this.#lineOf = lineOf;
  }

  add(entry: LogEntry): void {
    if (this.#waiting >= MAX_QUEUED_CHARS) {
      this.#lost++;
      return;
    }
    this.#append(this.#lineOf(entry));
    // The program may end by the same error in this turn.
    if (entry.level === "error") this.#write();
  }

  #append(line: string): void {
    if (this.#text === "") atEndOfTurn(() => this.#write());
    this.#text += `${line}\n`;
    this.#waiting += line.length + 1;
  }

  #write(): void {
    const text = this.#text;
    if (text === "") return;
    this.#text = "";
    const done = () => {
      this.#waiting -= text.length;
      if (this.#lost > 0 && this.#waiting < MAX_QUEUED_CHARS / 2) this.#reportLost();
    };
    // A closed output must not fail the service.
    this.#output.write(text).then(done, done);
  }

  /** Writes how many lines were lost. */
  #reportLost(): void {
    const count = this.#lost;
    this.#lost = 0;
    const time = new Date().toISOString();
    const message = `The log was read too slowly: ${count} lines were lost.`;
    this.#append(this.#lineOf({ time, level: "warn", event: "log_lines_lost", message, count }));
  }
}

/** Runs a function when the requests that have arrived are answered. The process does not end before. */
function atEndOfTurn(run: () => void): void {
  const { setImmediate } = globalThis as unknown as { setImmediate(run: () => void): unknown };
  setImmediate(run);
}

/** Returns a function that logs requests and events; `undefined` if the form is "none". */
export function createLog(form: LogFormat, io: Io): ((entry: LogEntry) => void) | undefined {
  if (form === "none") return undefined;
  const lines = new LogWriter(io.stderr, form === "json" ? jsonLine : textLine);
  return (entry) => lines.add(entry);
}
