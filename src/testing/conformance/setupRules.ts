// Rule of setup. The suite has called it once before all rules.

import { contentsOf } from "./checkedPort.ts";
import { expectSame } from "./expect.ts";
import type { Rule } from "./rule.ts";
import { create } from "./swapRules.ts";

export const setupRules: readonly Rule[] = [
  {
    name: "setup changes nothing where nothing is missing",
    needs: "setup",
    async check(trial) {
      const key = trial.keyOf("k");
      const version = await create(trial, key, "one");
      expectSame("", "a setup after another one to return", await trial.port.setup?.(), "");
      expectSame(key, "read after setup to return", contentsOf(await trial.cells.read(key)), {
        value: "one",
        version,
      });
    },
  },
];
