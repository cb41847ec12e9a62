// The commands that there are, in the order in which help lists them.

import { capacityOf } from "./commands/capacity.ts";
import { decodeIds } from "./commands/decode.ts";
import { layoutCommand } from "./commands/layout.ts";
import { leaseInspect } from "./commands/leaseInspect.ts";
import { newIds } from "./commands/new.ts";
import { numericCheck } from "./commands/numericCheck.ts";
import { numericNew } from "./commands/numericNew.ts";
import { poolAccept } from "./commands/poolAccept.ts";
import { poolFill } from "./commands/poolFill.ts";
import { poolStatus } from "./commands/poolStatus.ts";
import { serve } from "./commands/serve.ts";
import type { Command } from "./defineCommand.ts";

/** Every command. */
export const COMMANDS: readonly Command[] = [
  newIds,
  decodeIds,
  capacityOf,
  layoutCommand,
  numericNew,
  numericCheck,
  poolFill,
  poolStatus,
  poolAccept,
  leaseInspect,
  serve,
];
