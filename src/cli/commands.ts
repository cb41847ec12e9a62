// The commands that there are, in the order in which help lists them.

import { capacityCommand } from "./commands/capacity.ts";
import { decodeCommand } from "./commands/decode.ts";
import { layoutCommand } from "./commands/layout.ts";
import { leaseInspectCommand } from "./commands/leaseInspect.ts";
import { newCommand } from "./commands/new.ts";
import { numericCheckCommand } from "./commands/numericCheck.ts";
import { numericNewCommand } from "./commands/numericNew.ts";
import { poolAcceptCommand } from "./commands/poolAccept.ts";
import { poolFillCommand } from "./commands/poolFill.ts";
import { poolStatusCommand } from "./commands/poolStatus.ts";
import { serveCommand } from "./commands/serve.ts";
import type { Command } from "./defineCommand.ts";

/** Every command. */
export const COMMANDS: readonly Command[] = [
  newCommand,
  decodeCommand,
  capacityCommand,
  layoutCommand,
  numericNewCommand,
  numericCheckCommand,
  poolFillCommand,
  poolStatusCommand,
  poolAcceptCommand,
  leaseInspectCommand,
  serveCommand,
];
