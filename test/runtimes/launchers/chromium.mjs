// Chromium from Debian's package.

import { browser, INSECURE_HOST } from "./browser.mjs";

export const chromium = browser("chromium", ["page", "insecure", "isolated"], (_suite, profile) => ({
  command: [
    "chromium",
    "--headless",
    // The sandbox does not start as root, and CI is root.
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    `--user-data-dir=${profile}`,
    `--host-resolver-rules=MAP ${INSECURE_HOST} 127.0.0.1`,
  ],
}));
