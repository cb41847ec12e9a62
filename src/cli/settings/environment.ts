// Environment check: an unknown variable is refused, because a misspelt one would mean the default.

import type { Command } from "../command.ts";
import { UsageError } from "../errors.ts";
import type { Io } from "../io.ts";
import { quoted } from "../redact.ts";
import { STATE_VARIABLE } from "../state/folder.ts";
import { suggest } from "./suggest.ts";

/** How the checked variables begin. */
const PREFIXES = ["BITFLAKE_", "FLAKEID_"];

/** The variables that no flag table has: the state folder's, and those of `makeGeneratorFromEnv`. */
const OTHER_VARIABLES = [STATE_VARIABLE, "FLAKEID_DATACENTER_ID", "FLAKEID_MACHINE_ID"];

/**
 * Returns whether Kubernetes set a variable for a Service with the name "bitflake". It has the address of that service
 * and is no setting of the command.
 */
function isServiceLink(name: string, value: string | undefined): boolean {
  return (
    /^BITFLAKE_(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP|SCTP))(_|$)/.test(name) ||
    (name === "BITFLAKE_PORT" && /^(tcp|udp|sctp):\/\//.test(value ?? ""))
  );
}

/**
 * Returns the environment without the variables of Kubernetes.
 *
 * @throws {@link UsageError} for a variable that begins with `BITFLAKE_` or `FLAKEID_` and belongs to no command
 */
export function checkEnvironment({ env }: Io, commands: readonly Command[]): Io["env"] {
  const flags = commands.flatMap((command) => Object.values(command.flags));
  const current = [...OTHER_VARIABLES, ...new Set(flags.flatMap((flag) => flag.env ?? []))];
  const known = new Set([...current, ...flags.flatMap((flag) => flag.deprecatedName?.env ?? [])]);
  const kept = Object.entries(env).filter(([name, value]) => !isServiceLink(name, value));
  for (const [name] of kept) {
    if (known.has(name) || !PREFIXES.some((prefix) => name.startsWith(prefix))) continue;
    throw new UsageError(`unknown environment variable ${quoted(name)}${suggest(name, current)}`);
  }
  return Object.fromEntries(kept);
}
