// Node, one of its lines.

import { installed } from "../workspace.mjs";
import { playInProcess } from "./process.mjs";

export const node = (line) => ({
  name: `node${line}`,
  scenes: ["process"],
  play: (scene, workspace) => playInProcess([installed(`node${line}/bin/node`)], scene, workspace),
});
