// A process of service-pipelining.test.ts: the service of the built package on memory. It sends its URL, and its memory use on
// each message.

const { dist } = JSON.parse(process.argv[2]);
const { memory } = await import(new URL("backend.js", dist).href);
const { createService, listen } = await import(new URL("service.js", dist).href);

const service = createService({ backend: memory(), types: { farmer: { length: 10 } } });
await service.start();
const server = await listen(service, { port: 0 });
process.on("message", () => process.send({ rss: process.memoryUsage.rss() }));
process.once("disconnect", () => process.exit(0));
process.send({ url: server.url });
