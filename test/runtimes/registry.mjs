// npm registry with one package, for Deno's `npm:` imports.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

/** Starts the registry. Returns its address, and a function that says whether the package was fetched from it. */
export async function openRegistry({ manifest, tarball }) {
  const { name, version } = manifest;
  const bytes = await readFile(tarball);
  const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  let served = false;
  const server = createServer(({ url }, response) => {
    if (url === `/${name}`) {
      const dist = { tarball: `${address}/${name}.tgz`, integrity };
      const versions = { [version]: { ...manifest, dist } };
      response.end(JSON.stringify({ name, "dist-tags": { latest: version }, versions }));
    } else if (url === `/${name}.tgz`) {
      served = true;
      response.end(bytes);
    } else {
      response.writeHead(404).end();
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = `http://127.0.0.1:${server.address().port}`;
  return { address, served: () => served, close: () => server.close() };
}
