// listen with TLS: HTTPS alone, certificates that are replaced, and errors that show no key.

import { type RequestOptions, request } from "node:https";
import { connect as connectPlain } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import { memory } from "../../../src/backend/index.ts";
import {
  ArgumentError,
  createService,
  type Listening,
  listen,
  type Service,
  type ServiceLogEntry,
  type TlsOptions,
} from "../../../src/service/index.ts";
import { first, second } from "./certificates.ts";

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

const entries: ServiceLogEntry[] = [];

async function start(tls?: TlsOptions): Promise<{ server: Listening; service: Service }> {
  const service = createService({ backend: memory(), log: (entry) => void entries.push(entry) });
  const server = await listen(service, { port: 0, tls });
  open.push(async () => {
    await server.close();
    await service.stop();
  });
  return { server, service };
}

/** Resolves to the body of a response, and the name in the certificate. */
function fetchId({ port }: Listening, tls: TlsOptions, options: RequestOptions = {}) {
  return new Promise<{ body: string; name: string }>((resolve, reject) => {
    const given = { host: "127.0.0.1", servername: "localhost", port, ca: tls.cert, agent: false };
    const sent = request({ ...given, path: "/generate_uuid", ...options }, (response) => {
      const name = String((response.socket as TLSSocket).getPeerCertificate().subject["CN"]);
      let body = "";
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => resolve({ body, name }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

describe("a server with TLS", () => {
  test("answers HTTPS, with the address of the client and the guard of a loopback address", async () => {
    const { server } = await start(first);
    expect(server.url).toBe(`https://127.0.0.1:${server.port}`);
    const { body, name } = await fetchId(server, first);
    expect([JSON.parse(body), name]).toEqual([{ id: expect.any(String) }, "first"]);
    expect(entries.at(-1)).toMatchObject({ status: 200, address: expect.stringContaining("127.0.0.1") });
    const { body: refusal } = await fetchId(server, first, { headers: { host: "evil.example" } });
    expect(JSON.parse(refusal)).toMatchObject({ status: 403 });
  });

  test("gives a new certificate to new connections, and keeps the former one if the new one is invalid", async () => {
    const { server } = await start(first);
    server.setTls(second);
    expect((await fetchId(server, second)).name).toBe("second");
    const mixed = { cert: first.cert, key: second.key };
    for (const tls of [mixed, { cert: "no PEM", key: "no PEM" }]) {
      expect(() => server.setTls(tls)).toThrow(ArgumentError);
    }
    expect((await fetchId(server, second)).name).toBe("second");
  });

  test("answers no HTTP, and closes such connections", async () => {
    const { server } = await start(first);
    const answer = await new Promise<string>((resolve) => {
      const socket = connectPlain(server.port, "127.0.0.1", () => socket.write("GET / HTTP/1.1\r\n\r\n"));
      let text = "";
      socket.on("data", (chunk) => {
        text += chunk;
      });
      socket.on("error", () => {});
      socket.on("close", () => resolve(text));
    });
    expect(answer).not.toContain("200");
  });

  test("answers bytes that are not HTTP with 400", async () => {
    const { server } = await start(first);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect({
        port: server.port,
        host: "127.0.0.1",
        ca: first.cert,
        servername: "localhost",
      });
      let text = "";
      socket.on("secureConnect", () => socket.write("no request\r\n\r\n"));
      socket.on("data", (chunk) => {
        text += chunk;
      });
      socket.on("error", reject);
      socket.on("close", () => resolve(text));
    });
    expect(answer).toContain("400 Bad Request");
  });

  test("closes idle connections when it is closed", async () => {
    const { server } = await start(first);
    const socket = connect({ port: server.port, host: "127.0.0.1", ca: first.cert, servername: "localhost" });
    await new Promise((ready) => socket.once("secureConnect", ready));
    const closed = new Promise((gone) => socket.once("close", gone));
    socket.on("error", () => {});
    await server.close();
    await closed;
  });
});

describe("certificate and key", () => {
  test.each<[string, unknown, string]>([
    ["are not an object", "pem", "tls must be an object"],
    ["have another name", { ...first, ca: "x" }, "a name in tls must be one of"],
    ["have no key", { cert: first.cert }, "tls.key must be a string in PEM"],
    ["are bytes", { ...first, key: new Uint8Array(3) }, "tls.key must be a string in PEM"],
    ["are not PEM", { cert: "x", key: "y" }, "tls must be a certificate chain and its private key, in PEM"],
    [
      "do not belong together",
      { ...first, key: second.key },
      "tls must be a certificate chain and its private key",
    ],
  ])("that %s are refused, without the key in the message", async (_, tls, message) => {
    const service = createService({ backend: memory() });
    const error = await listen(service, { port: 0, tls: tls as TlsOptions }).catch((error) => error);
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toContain(message);
    expect(error.message).not.toContain("PRIVATE");
  });

  test("are refused by a server without TLS", async () => {
    const { server } = await start();
    expect(() => server.setTls(first)).toThrow("tls must be given to listen() first");
  });
});
