// Bun, where it lies when no install script has moved it.

import { installed } from "../workspace.mjs";
import { playInProcess } from "./process.mjs";

export const bun = {
  name: "bun",
  scenes: ["process"],
  play: (scene, workspace) => playInProcess([installed("@oven/bun-linux-x64/bin/bun")], scene, workspace),
};
