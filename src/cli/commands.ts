// The commands that there are, in the order in which help lists them.

import { capacityOf } from "./capacity.ts";
import type { Command } from "./command.ts";
import { decodeIds } from "./decode.ts";
import { drawLayout } from "./layout.ts";
import { leaseInspect } from "./leaseInspect.ts";
import { newIds } from "./new.ts";
import { numericCheck } from "./numericCheck.ts";
import { numericNew } from "./numericNew.ts";
import { poolAccept } from "./poolAccept.ts";
import { poolFill } from "./poolFill.ts";
import { poolStatus } from "./poolStatus.ts";
import { serve } from "./serve.ts";

/** Every command. */
export const COMMANDS: readonly Command[] = [
  newIds,
  decodeIds,
  capacityOf,
  drawLayout,
  numericNew,
  numericCheck,
  poolFill,
  poolStatus,
  poolAccept,
  leaseInspect,
  serve,
];
