// Routes that decode IDs and describe layouts.

import { describe, expect, test } from "vitest";
import { openService, statusAndBody } from "../openService.ts";

describe("routes that inspect", () => {
  test("/decode decodes an ID by the service's layout, or by another preset", async () => {
    const { send } = await openService();
    expect(await statusAndBody(await send("/decode/911780371413233664"))).toEqual([
      200,
      {
        id: "911780371413233664",
        timestampMs: 1_795_222_180_605,
        generatedAt: "2026-11-21T00:49:40.605Z",
        datacenterId: 1,
        machineId: 7,
        sequence: 0,
      },
    ]);
    expect(await (await send("/decode/911780371413233664?preset=single_dc")).json()).toMatchObject({
      datacenterId: 0,
      machineId: 39,
    });
  });

  test.each(["x", "01", "-1", "9223372036854775808", "0x10", "1e3", "%20 1", "1".repeat(5000)])(
    "/decode/%s gets 400",
    async (id) => {
      const { send } = await openService();
      const [status, problem] = await statusAndBody(await send(`/decode/${id}`));
      expect(status).toBe(400);
      expect(problem).toMatchObject({ code: "ERR_INVALID_ID" });
    },
  );

  test("an unknown preset gets 400", async () => {
    const { send } = await openService();
    for (const path of ["/decode/1?preset=nonsense", "/capacity?preset=", "/capacity?preset=__proto__"]) {
      expect(await statusAndBody(await send(path))).toMatchObject([400, { code: "ERR_ARGUMENT" }]);
    }
  });

  test("/capacity describes the service's layout, or another preset", async () => {
    const { send } = await openService({ preset: "safe_integer" });
    expect(await (await send("/capacity")).json()).toMatchObject({ nodes: 32, idsPerTick: 128 });
    expect(await (await send("/capacity?preset=twitter")).json()).toMatchObject({
      nodes: 1024,
      idsPerTick: 4096,
    });
    expect(await (await send("/capacity?preset=minimal")).json()).toMatchObject({ nodes: 1 });
  });
});
