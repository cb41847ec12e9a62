// The service in a Durable Object: there is one of it, its timers continue, and its SQLite lasts. All requests go through it.

import { DurableObject } from "cloudflare:workers";
import { fromSqlite } from "bitflake/backend";
import { createService } from "bitflake/service";

export class Ids extends DurableObject {
  #service;

  fetch(request) {
    this.#service ??= createService({
      backend: fromSqlite({
        prepare: (sql) => {
          const all = (...params) => this.ctx.storage.sql.exec(sql, ...params).toArray();
          return { all, run: all };
        },
      }),
      types: { farmer: { length: 10 } },
      // A secret: wrangler secret put API_KEYS. Without it every request is an error, and no one gets an ID.
      apiKeys: this.env.API_KEYS.split(","),
      rateLimit: { limit: 600 },
      onEvent: ({ error, ...event }) =>
        console.log(JSON.stringify({ ...event, error: error && String(error) })),
    });
    return this.#service(request, { address: request.headers.get("cf-connecting-ip") ?? undefined });
  }
}

export default {
  fetch: (request, { IDS }) => IDS.get(IDS.idFromName("ids")).fetch(request),
};
