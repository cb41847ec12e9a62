// Completes a lock after a dependency has changed: node .ci/complete-lock.mjs [package-lock.json]
// A registry mirror may lack the builds of native packages for platforms other than its own. npm install then leaves
// them out of the lock, and npm ci refuses a lock that lacks a package, though it would never have installed it.

import { readFileSync, writeFileSync } from "node:fs";

const path = process.argv[2] ?? new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(path, "utf8"));

/** What a native package's name says about where it runs, in the lock's own fields. */
function platform(name) {
  // workerd has names of its own.
  const own = name.split("/").at(-1).replace("windows", "win32").replace(/-64$/, "-x64");
  const words = own.split("-");
  const find = (known) => known.filter((word) => words.includes(word));
  const os = find([
    "aix",
    "android",
    "darwin",
    "freebsd",
    "linux",
    "netbsd",
    "openbsd",
    "openharmony",
    "sunos",
    "win32",
  ]);
  const cpu = find([
    "arm",
    "arm64",
    "ia32",
    "loong64",
    "mips64el",
    "ppc64",
    "riscv64",
    "s390x",
    "wasm32",
    "x64",
  ]);
  const libc = find(["musl"]).concat(words.some((word) => word.startsWith("gnu")) ? ["glibc"] : []);
  return { ...(cpu.length && { cpu }), ...(os.length && { os }), ...(libc.length && { libc }) };
}

let added = 0;
for (const [parent, { optionalDependencies = {} }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const nested = `${parent}/node_modules/${name}`;
    const entry = `node_modules/${name}`;
    if (lock.packages[nested] || lock.packages[entry]) continue;
    const where = platform(name);
    if (!where.os && !where.cpu) {
      console.warn(`left alone: ${name}, whose name says no platform`);
      continue;
    }
    lock.packages[entry] = { version, ...where, dev: true, optional: true };
    added++;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} added`);
