// Chromium, as Debian has it.

import { browser, INSECURE_HOST } from "./browser.mjs";

export const chromium = browser("chromium", ["page", "insecure", "isolated"], (_scene, profile) => ({
  command: [
    "chromium",
    "--headless",
    // Its sandbox does not start as root, which CI is.
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    `--user-data-dir=${profile}`,
    `--host-resolver-rules=MAP ${INSECURE_HOST} 127.0.0.1`,
  ],
}));
