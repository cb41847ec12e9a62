// What the three browsers have in common: a command opens a page, and the page reports back.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { start } from "../program.mjs";
import { openSite } from "../site.mjs";

/** A name that the browsers are told to find here. No browser trusts it: it is neither https nor localhost. */
export const INSECURE_HOST = "insecure.test";

/**
 * @param launch from a scene, an empty folder for a profile and the site's port to the command that opens a page, less
 *   the page's address; the environment for it; and what to call when it has ended
 */
export const browser = (name, scenes, launch) => ({
  name,
  scenes,
  async play(scene, { folder }) {
    const profile = join(folder, "profiles", name, scene);
    await mkdir(profile, { recursive: true });
    const site = await openSite(folder, scene);
    try {
      const { command, env, after } = await launch(scene, profile, site.port);
      const [program, ...args] = command;
      const host = scene === "insecure" ? INSECURE_HOST : "127.0.0.1";
      const page = `http://${host}:${site.port}/${scene}/hosts/page.html`;
      const { ended, stop } = start(program, [...args, page], { env: { TMPDIR: profile, ...env } });
      const closed = ended.then(() => ({ error: "closed its page" }));
      const outcome = await Promise.race([site.outcome, closed]).finally(stop);
      await after?.();
      return outcome;
    } finally {
      site.close();
    }
  },
});
