// The environment of a command: variables that mean nothing are refused, because a misspelt one means the default.

import type { Command } from "../defineCommand.ts";
import { quoted, UsageError } from "../errors.ts";
import type { Io } from "../io.ts";
import { STATE_VARIABLE } from "../state/folder.ts";
import { suggest } from "./suggest.ts";

const PREFIX = "BITFLAKE_";

/**
 * Whether Kubernetes made a variable, for a service of the name "bitflake": it says where that service is, and nothing to
 * the command.
 */
function isServiceLink(name: string, value: string | undefined): boolean {
  return (
    /^BITFLAKE_(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP|SCTP))(_|$)/.test(name) ||
    (name === "BITFLAKE_PORT" && /^(tcp|udp|sctp):\/\//.test(value ?? ""))
  );
}

/**
 * Returns the environment that the commands read.
 *
 * @throws {@link UsageError} for a variable that begins with `BITFLAKE_` and belongs to no command
 */
export function checkEnvironment({ env }: Io, commands: readonly Command[]): Io["env"] {
  const known = [
    STATE_VARIABLE,
    ...new Set(commands.flatMap(({ flags }) => Object.values(flags).flatMap((flag) => flag.env ?? []))),
  ];
  const kept = Object.entries(env).filter(([name, value]) => !isServiceLink(name, value));
  for (const [name] of kept) {
    if (!name.startsWith(PREFIX) || known.includes(name)) continue;
    throw new UsageError(`there is no variable ${quoted(name)}${suggest(name, known)}`);
  }
  return Object.fromEntries(kept);
}
