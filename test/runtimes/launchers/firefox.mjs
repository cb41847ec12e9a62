// Firefox from Debian's package.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { browser, INSECURE_HOST } from "./browser.mjs";

export const firefox = browser(
  "firefox",
  ["page", "insecure", "isolated", "coarse"],
  async (suite, profile) => {
    const preferences = {
      "network.dns.localDomains": INSECURE_HOST,
      "privacy.resistFingerprinting": suite === "coarse",
    };
    const lines = Object.entries(preferences).map(
      ([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`,
    );
    await writeFile(join(profile, "user.js"), lines.join("\n"));
    return { command: ["firefox-esr", "--headless", "--no-remote", "--profile", profile] };
  },
);
