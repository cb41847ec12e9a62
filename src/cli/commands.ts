// The list of commands, in the order of help.

import type { Command } from "./command.ts";
import { auditCommand } from "./commands/audit.ts";
import { capacityCommand } from "./commands/capacity.ts";
import { createCompletionCommand } from "./commands/completion.ts";
import { convertCommand } from "./commands/convert.ts";
import { decodeCommand } from "./commands/decode.ts";
import { explainCommand } from "./commands/explain.ts";
import { layoutCommand } from "./commands/layout.ts";
import { leaseInspectCommand } from "./commands/leaseInspect.ts";
import { migrateProveCommand } from "./commands/migrateProve.ts";
import { newCommand } from "./commands/new.ts";
import { numericCheckCommand } from "./commands/numericCheck.ts";
import { numericNewCommand } from "./commands/numericNew.ts";
import { poolAcceptCommand } from "./commands/poolAccept.ts";
import { poolExportCommand } from "./commands/poolExport.ts";
import { poolFillCommand } from "./commands/poolFill.ts";
import { poolImportCommand } from "./commands/poolImport.ts";
import { poolStatusCommand } from "./commands/poolStatus.ts";
import { randomCommand } from "./commands/random.ts";
import { rangeCommand } from "./commands/range.ts";
import { serveCommand } from "./commands/serve.ts";
import { setupCommand } from "./commands/setup.ts";
import { sqlCommand } from "./commands/sql.ts";
import { topCommand } from "./commands/top.ts";
import { uuidCommand } from "./commands/uuid.ts";

/** All commands. */
export const COMMANDS: readonly Command[] = [
  newCommand,
  decodeCommand,
  explainCommand,
  auditCommand,
  convertCommand,
  rangeCommand,
  capacityCommand,
  layoutCommand,
  migrateProveCommand,
  uuidCommand,
  randomCommand,
  numericNewCommand,
  numericCheckCommand,
  poolFillCommand,
  poolStatusCommand,
  poolImportCommand,
  poolExportCommand,
  poolAcceptCommand,
  leaseInspectCommand,
  setupCommand,
  sqlCommand,
  serveCommand,
  topCommand,
  createCompletionCommand(() => COMMANDS),
];
