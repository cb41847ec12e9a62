// Worker of the tests: it sends the calls of a port, which arrive as requests, to D1 and to Durable Objects.

import { DurableObject } from "cloudflare:workers";
import { fromD1, fromDurableObject, fromDurableObjectStub } from "bitflake/backend";
import { Counter } from "bitflake/counter";

class CellsObject extends DurableObject {
  #port = fromDurableObject(this.ctx.storage);
  read(key) {
    return this.#port.read(key);
  }
  swap(key, version, value, keepMs) {
    return this.#port.swap(key, version, value, keepMs);
  }
  list(prefix) {
    return this.#port.list(prefix);
  }

  /** Makes swaps over one version at once, by two ports, and returns how many have written. */
  async swapAtOnce(key, version, count) {
    const ports = [this.#port, fromDurableObject(this.ctx.storage)];
    const swaps = Array.from({ length: count }, (_, at) => ports[at % 2].swap(key, version, `${at}`));
    return (await Promise.all(swaps)).filter(({ swapped }) => swapped).length;
  }

  /** Counts within the object. */
  async count(name, calls) {
    const counter = new Counter({ backend: this.#port, name });
    return (await Promise.all(Array.from({ length: calls }, () => counter.next()))).map(String);
  }

  /** Returns the keys of the storage, those that have ended included. */
  async keys(prefix) {
    return [...(await this.ctx.storage.list({ prefix })).keys()];
  }
  put(key, value) {
    return this.ctx.storage.put(key, value);
  }
}

// Two classes, because the kind of storage belongs to the class.
export class Sqlite extends CellsObject {}
export class KeyValue extends CellsObject {}

export default {
  async fetch(request, env) {
    const { target, method, args, settings } = await request.json();
    try {
      if (method === "useStub") new Counter({ backend: env[target].getByName("cells"), name: "n" });
      const stub = () => env[target].get(env[target].idFromName("cells"));
      const port =
        target === "D1"
          ? fromD1(env.D1, settings)
          : ["read", "swap", "list"].includes(method)
            ? fromDurableObjectStub(stub, settings)
            : stub();
      // JSON turns `undefined` in `args` into `null`.
      return Response.json({ answer: await port[method](...args.map((arg) => arg ?? undefined)) });
    } catch (error) {
      return Response.json({ error: String(error?.message ?? error) });
    }
  },
};
