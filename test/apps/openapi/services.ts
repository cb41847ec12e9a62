// Services whose documents differ: open; with API keys; with a rate limit and MOSIP's route too.

import { memory } from "bitflake/backend";
import { createService, type Service, type ServiceOptions } from "bitflake/service";

export const KEY = "a-key-of-the-app-openapi";

function open(options: Partial<ServiceOptions>): Service {
  return createService({ backend: memory(), types: { farmer: { length: 10 } }, ...options });
}

export const services = {
  open: open({}),
  keys: open({ apiKeys: [{ name: "app", keys: [KEY] }] }),
  everything: open({
    apiKeys: [{ name: "app", keys: [KEY] }],
    rateLimit: { limit: 1000 },
    types: { farmer: { length: 10 }, uin: { length: 10 } },
  }),
};
