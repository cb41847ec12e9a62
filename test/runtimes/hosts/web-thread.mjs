// Starts a web Worker in Deno, Bun or a browser.

export function runWebThread(job) {
  const worker = new Worker(new URL("./web-worker.mjs", import.meta.url), { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(job);
  });
}
