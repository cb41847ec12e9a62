// Certificate and key of `bitflake serve`: read from files, and again when the files change.

import type { Listening, TlsOptions } from "../../service/index.ts";
import { CommandError, describeError, UsageError } from "../errors.ts";
import { nodeModule, pathFrom } from "../io.ts";
import type { ServeContext } from "./stores.ts";
import { warn } from "./warnings.ts";

/** How often the files are read, in milliseconds. */
const READ_INTERVAL_MS = 60_000;

async function readPem({ sources, io }: ServeContext, setting: string, path: string): Promise<string> {
  try {
    const { readFile } = await nodeModule(io, "node:fs/promises");
    return await readFile(await pathFrom(io, path), "utf8");
  } catch (cause) {
    const { message } = describeError(cause);
    throw new CommandError("ERR_TLS_FILE", `${sources[setting]}: ${message}`, { cause });
  }
}

/**
 * Reads certificate and key.
 *
 * @returns `undefined` if none is set
 * @throws {@link UsageError} if only one of them is set
 * @throws {@link CommandError} if a file cannot be read
 */
export async function readTls(context: ServeContext): Promise<TlsOptions | undefined> {
  const { tlsCert, tlsKey } = context.values;
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new UsageError("--tls-cert and --tls-key require each other");
  }
  const cert = await readPem(context, "tlsCert", tlsCert);
  return { cert, key: await readPem(context, "tlsKey", tlsKey) };
}

/**
 * Reads the files every minute, and gives the server certificate and key that have changed. Until they can be read and belong
 * together, the server keeps the former ones, with a warning for each change.
 *
 * @param current as they were read first
 * @returns stops it
 */
export function followTlsFiles(
  context: ServeContext,
  current: TlsOptions,
  { setTls }: Pick<Listening, "setTls">,
): () => void {
  let last = JSON.stringify(current);
  let lastWarning = "";
  const update = async () => {
    try {
      const tls = (await readTls(context)) as TlsOptions;
      const text = JSON.stringify(tls);
      if (text !== last) setTls(tls);
      last = text;
      lastWarning = "";
    } catch (error) {
      const { message } = describeError(error);
      if (message === lastWarning) return;
      lastWarning = message;
      await warn(context, `the server keeps its former certificate: ${message}`);
    }
  };
  const timer = setInterval(update, READ_INTERVAL_MS);
  return () => clearInterval(timer);
}
