// WebKit from Debian's package: WebKitGTK's MiniBrowser, on a display of its own.

import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { start } from "../program.mjs";
import { browser } from "./browser.mjs";

const LIBRARIES = "/usr/lib/x86_64-linux-gnu";

async function miniBrowser() {
  const version = (await readdir(LIBRARIES)).find((name) => name.startsWith("webkit2gtk-"));
  if (!version) throw new Error("no libwebkit2gtk in " + LIBRARIES);
  return join(LIBRARIES, version, "MiniBrowser");
}

/** Starts Xvfb, which picks a free display and writes its number to a pipe. */
async function openDisplay() {
  const { child, ended, stop } = start("Xvfb", ["-displayfd", "3", "-nolisten", "tcp"], {
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  });
  const [number] = await Promise.race([once(child.stdio[3], "data"), ended]);
  // On SIGTERM it deletes its lock and its socket.
  return { display: `:${String(number).trim()}`, close: () => stop("SIGTERM") };
}

export const webkit = browser("webkit", ["page", "insecure", "isolated"], async (suite, profile, port) => {
  const program = await miniBrowser();
  const { display, close } = await openDisplay();
  return {
    // It has no option to map a host name, so the site is its proxy.
    command: [program, "--private", `--proxy=http://127.0.0.1:${port}`, "--ignore-host=127.0.0.1"],
    env: {
      DISPLAY: display,
      HOME: profile,
      XDG_RUNTIME_DIR: profile,
      // Safari has SharedArrayBuffer on isolated pages. WebKitGTK has it only with this switch.
      ...(suite === "isolated" && { JSC_useSharedArrayBuffer: "1" }),
    },
    after: close,
  };
});
