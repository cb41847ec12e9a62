// The log of the service: a line for each request and each event, on the standard error output.

import type { ServiceEvent, ServiceLogEntry } from "../../service/index.ts";
import { describeError } from "../errors.ts";
import type { Io, Output } from "../io.ts";
import { printable } from "../terminal/color.ts";

/** How lines are written. */
export type LogFormat = "json" | "text" | "none";

/** How much may wait for a reader, in characters. What comes then is lost, and counted. */
const MAX_QUEUED_CHARS = 1_048_576;

/** How deep causes are looked into: an error may be its own. */
const MAX_CAUSE_DEPTH = 5;

/** The form that is asked for; or text for people, and JSON for programs. */
export function resolveLogFormat(log: LogFormat | undefined, isJson: boolean, { stderr }: Io): LogFormat {
  return log ?? (stderr.isTTY && !isJson ? "text" : "json");
}

/** What is said of an error, and of its causes, where they say something else. */
function errorReason(error: unknown): string {
  const reasons: string[] = [];
  let cause = error;
  for (let depth = 0; depth < MAX_CAUSE_DEPTH && cause !== undefined; depth++) {
    const { message } = describeError(cause);
    // Of an error that quotes its cause, the cause says nothing new.
    if (message !== "" && !reasons.some((reason) => reason.includes(message))) reasons.push(message);
    cause = (Object(cause) as { cause?: unknown }).cause;
  }
  return reasons.join(": ");
}

/** A line for programs. */
function jsonLine({ error, ...facts }: ServiceLogEntry | ServiceEvent | LostLines): string {
  return JSON.stringify(error === undefined ? facts : { ...facts, error: errorReason(error) });
}

/** A line for people, of a request. */
function requestLine(entry: ServiceLogEntry): string {
  const { time, level, method, path, status, durationMs, client, address, requestId, code } = entry;
  const parts = [
    time,
    level,
    method || "-",
    path || "-",
    status,
    `${durationMs.toFixed(3)} ms`,
    client || "-",
    ...(address === "" || address === client ? [] : [address]),
    requestId,
    ...(code === undefined ? [] : [code]),
  ];
  return parts.join(" ");
}

/** A line for people, of something that happened to the service. */
function eventLine(entry: ServiceEvent | LostLines): string {
  const { time, level, event, message } = entry;
  const facts = ["node", "store", "type"].flatMap((name) => {
    const value = (entry as unknown as Readonly<Record<string, unknown>>)[name];
    return value === undefined ? [] : [`${name} ${value}`];
  });
  return [time, level, event, ...facts, message].join(" ");
}

/** A line for people. */
function textLine(entry: ServiceLogEntry | ServiceEvent | LostLines): string {
  const line = printable("event" in entry ? eventLine(entry) : requestLine(entry));
  return entry.error === undefined ? line : `${line}: ${errorReason(entry.error)}`;
}

/** What is said when there is a reader again. */
interface LostLines {
  readonly time: string;
  readonly level: "warn";
  readonly event: "log_lines_lost";
  readonly message: string;
  readonly count: number;
  readonly error?: undefined;
}

/** Writes lines as fast as they are read, and loses what comes faster: nobody waits, and memory has a bound. */
class LogWriter {
  readonly #output: Output;
  readonly #lineOf: (entry: ServiceLogEntry | ServiceEvent | LostLines) => string;
  #waiting = 0;
  #lost = 0;

  constructor(output: Output, lineOf: (entry: ServiceLogEntry | ServiceEvent | LostLines) => string) {
    this.#output = output;
    this.#lineOf = lineOf;
  }

  add(entry: ServiceLogEntry | ServiceEvent): void {
    if (this.#waiting >= MAX_QUEUED_CHARS) this.#lost++;
    else this.#write(this.#lineOf(entry));
  }

  #write(line: string): void {
    const text = `${line}\n`;
    this.#waiting += text.length;
    const done = () => {
      this.#waiting -= text.length;
      if (this.#lost > 0 && this.#waiting < MAX_QUEUED_CHARS / 2) this.#tell();
    };
    // A log that nobody reads any more is no failure of the service.
    this.#output.write(text).then(done, done);
  }

  /** Says how many lines were lost. */
  #tell(): void {
    const count = this.#lost;
    this.#lost = 0;
    const time = new Date().toISOString();
    const message = `The log was not read, and ${count} lines were lost.`;
    this.#write(this.#lineOf({ time, level: "warn", event: "log_lines_lost", message, count }));
  }
}

/** What writes requests and events; `undefined` if nobody wants a log. */
export function createLog(
  form: LogFormat,
  io: Io,
): ((entry: ServiceLogEntry | ServiceEvent) => void) | undefined {
  if (form === "none") return undefined;
  const lines = new LogWriter(io.stderr, form === "json" ? jsonLine : textLine);
  return (entry) => lines.add(entry);
}
