// The table of the settings of bitflake serve, as docs/command-line.md has it.

import { SERVE_SETTINGS } from "../../src/cli/serve/settings.ts";
import { flagName } from "../../src/cli/settings/flagTable.ts";

/** Returns a row for each setting. */
export function settingRows(): string[] {
  return Object.entries(SERVE_SETTINGS).map(([name, row]) => {
    const none = row.kind === "switch" ? "off" : "none";
    const fallback = "default" in row ? String(row.default) : "defaultText" in row ? row.defaultText : none;
    const cells = [
      "notInFile" in row ? "" : `\`${name}\``,
      "noFlagReason" in row ? "" : `\`${flagName(name)}\``,
      `\`${row.env}\``,
      fallback,
      "choices" in row ? `${row.description}: ${row.choices.join(", ")}` : row.description,
    ];
    return `| ${cells.join(" | ")} |`.replaceAll(/ {2,}/g, " ");
  });
}
