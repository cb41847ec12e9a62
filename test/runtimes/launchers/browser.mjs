// Launcher of a browser: a command opens a page, and the page reports the outcome to the site.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { start } from "../program.mjs";
import { openSite } from "../site.mjs";

/** Host name that the browsers resolve to this machine. It is an insecure origin: neither https nor localhost. */
export const INSECURE_HOST = "insecure.test";

/**
 * Creates the runtime of a browser.
 *
 * @param launch gets a suite, an empty folder for a profile and the site's port; returns the command that opens a page,
 *   without the page's address, its environment, and a function to call after it has ended
 */
export const browser = (name, suites, launch) => ({
  name,
  suites,
  async runSuite(suite, { folder }) {
    const profile = join(folder, "profiles", name, suite);
    await mkdir(profile, { recursive: true });
    const site = await openSite(folder, suite);
    try {
      const { command, env, after } = await launch(suite, profile, site.port);
      const [program, ...args] = command;
      const host = suite === "insecure" ? INSECURE_HOST : "127.0.0.1";
      const page = `http://${host}:${site.port}/${suite}/hosts/page.html`;
      const { ended, stop } = start(program, [...args, page], { env: { TMPDIR: profile, ...env } });
      const closed = ended.then(() => ({ error: "the browser closed the page" }));
      const outcome = await Promise.race([site.outcome, closed]).finally(stop);
      await after?.();
      return outcome;
    } finally {
      site.close();
    }
  },
});
