// bitflake top: shows the state and the traffic of a service, again and again.

import { startTimer } from "../../backend/call.ts";
import { History } from "../../service/console/history.ts";
import type { Command, CommandContext } from "../command.ts";
import { defineCommand } from "../defineCommand.ts";
import { describeError, UsageError } from "../errors.ts";
import { quoted } from "../redact.ts";
import { colorsFor } from "../terminal/color.ts";
import { drawStatus, jsonStatus, lineStatus } from "../top/drawStatus.ts";
import { fetchStatus, type ServiceStatus } from "../top/fetchStatus.ts";

const FLAGS = {
  // Not BITFLAKE_API_KEY: written instead of BITFLAKE_API_KEYS by mistake, it would start a service without keys.
  watchKey: {
    kind: "text",
    placeholder: "KEY",
    env: "BITFLAKE_WATCH_KEY",
    description: "an API key with the scope watch, if the service requires one",
    defaultText: "none",
    noFlagReason: "the process list would show the key; set BITFLAKE_WATCH_KEY",
  },
  intervalMs: {
    kind: "integer",
    min: 100,
    max: 30_000,
    default: 1000,
    description: "how often the service is read, in milliseconds",
  },
  count: {
    kind: "integer",
    min: 1,
    max: 1_000_000_000,
    short: "n",
    description: "how often it is read",
    defaultText: "until Ctrl-C",
  },
} as const;

/** Switches a terminal to a second screen without a cursor, and back. */
const OPEN_SCREEN = "\u001b[?1049h\u001b[?25l";
const CLOSE_SCREEN = "\u001b[?25h\u001b[?1049l";

/**
 * Returns the API key, which a header can hold.
 *
 * @throws {@link UsageError} without the key if not: two keys in one variable, for example
 */
function assertKey(key: string | undefined): string | undefined {
  if (key === undefined || /^[!-~]+$/.test(key)) return key;
  throw new UsageError("BITFLAKE_WATCH_KEY must be one key, of visible ASCII characters");
}

/** Returns the address that the argument gives. The path of a service behind a proxy stays. */
function parseUrl([text = "", more]: readonly string[]): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (more !== undefined || !url || !/^https?:$/.test(url.protocol) || url.username !== "") {
    throw new UsageError(
      `top requires one URL of a service, such as http://127.0.0.1:3000, got ${quoted(more ?? text)}`,
    );
  }
  url.search = url.hash = "";
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

/** Resolves after the time, or when the signal is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const stopTimer = startTimer(end, ms);
    function end() {
      stopTimer();
      signal.removeEventListener("abort", end);
      resolve();
    }
    signal.addEventListener("abort", end);
  });
}

/** Returns a screen as it replaces the one before: each line erases the rest of its own, and the last one those below. */
const overwrite = (screen: string): string => `\u001b[H${screen.replaceAll("\n", "\u001b[K\n")}\u001b[J`;

/** Shows the service until the signal, or as often as set. Resolves to the last screen. */
async function show(
  { values, isJson, io }: CommandContext<typeof FLAGS>,
  url: URL,
  isScreen: boolean,
  signal: AbortSignal,
): Promise<string> {
  const { watchKey, intervalMs, count = Number.POSITIVE_INFINITY } = values;
  const apiKey = assertKey(watchKey);
  const history = new History();
  const colors = colorsFor(io.stdout, io.env);
  let status: ServiceStatus | undefined;
  let screen = "";
  for (let reads = 1; reads <= count; reads++) {
    let failure: string | undefined;
    try {
      status = await fetchStatus({ url, apiKey }, signal);
      history.add(status, io.now());
    } catch (error) {
      if (signal.aborted) break;
      // A wrong address or key does not become right. A service that has answered may be back soon.
      if (!status) throw error;
      failure = describeError(error).message;
    }
    if (isScreen) {
      screen = drawStatus(status, history, url, colors, failure);
      await io.stdout.write(overwrite(screen));
    } else if (failure !== undefined) await io.stderr.write(`${failure}\n`);
    else await io.stdout.write((isJson ? jsonStatus : lineStatus)(status, history, io.now()));
    if (reads < count) await pause(intervalMs, signal);
    if (signal.aborted) break;
  }
  return screen;
}

export const topCommand: Command = defineCommand({
  name: "top",
  summary: "Shows the state and traffic of a service, live.",
  args: "URL",
  notes: [
    "On a terminal it is a screen that is drawn again each second, until Ctrl-C; elsewhere one line for each reading, with --json one object. It reads GET /status, the facts of the console. Errors of a service that has answered before are shown, and it is read again.",
  ],
  flags: FLAGS,
  examples: [
    { run: "bitflake top http://127.0.0.1:3000" },
    { run: "bitflake top http://127.0.0.1:3000 --count 2 --json" },
  ],
  async run(context) {
    const { args, isJson, io } = context;
    const url = parseUrl(args);
    const signal = io.stopSignal();
    const isScreen = io.stdout.isTTY && !isJson;
    if (!isScreen) {
      await show(context, url, isScreen, signal);
      return 0;
    }
    await io.stdout.write(OPEN_SCREEN);
    let screen = "";
    try {
      screen = await show(context, url, isScreen, signal);
    } finally {
      // The last screen stays on the terminal.
      await io.stdout.write(CLOSE_SCREEN + screen);
    }
    return 0;
  },
});
