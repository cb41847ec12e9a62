// A service whose node is leased elsewhere than everything else is kept.

import { memory } from "bitflake/backend";
import { inspect } from "bitflake/lease";
import { createService } from "bitflake/service";
import { expect, test } from "vitest";

test("leaseBackend is where the node is leased, and nothing else is kept", async () => {
  const [backend, leaseBackend] = [memory(), memory()];
  const services = [0, 1].map(() => createService({ backend: memory(), leaseBackend, name: "ids" }));
  const here = createService({ backend, leaseBackend, name: "ids" });
  for (const service of [...services, here]) await service.start();
  expect((await inspect(leaseBackend, "ids")).held.map(({ node }) => node)).toEqual([0, 1, 2]);
  expect((await inspect(backend, "ids")).used).toBe(0);
  const counted = await here(new Request("http://localhost/generate_counter_id"));
  expect(await counted.json()).toEqual({ id: "1" });
  for (const service of [...services, here]) await service.stop();
  expect((await inspect(leaseBackend, "ids")).held).toEqual([]);
});

test("leaseBackend must be a backend", () => {
  // @ts-expect-error: a number is none
  expect(() => createService({ backend: memory(), leaseBackend: 5 })).toThrow("backend must be");
});
