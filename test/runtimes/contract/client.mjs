// bitflake/client: blocks, retries, aborts and errors, with the runtime's own Response, streams, signals and timers. A fetch by
// hand stands for the network, which not every host of the contract has.

import { equal, increasing, truth } from "./expect.mjs";

const json = (value, status = 200) =>
  new Response(JSON.stringify(value), { status, headers: { "content-type": "application/json" } });

/** A service whose first request of each kind fails. */
function flakyService() {
  let last = 911_780_371_413_233_664n;
  const paths = new Set();
  const requests = [];
  const fetch = async (url, init) => {
    const { pathname, searchParams } = new URL(url);
    requests.push(`${init.method} ${pathname}`);
    truth(init.signal instanceof AbortSignal, "the request has a signal");
    equal(init.headers.authorization, "Bearer an-example-of-a-key", "authorization");
    // It is a request that the runtime can send.
    new Request(url, init);
    if (!paths.has(pathname)) {
      paths.add(pathname);
      return new Response("<html>", { status: 502 });
    }
    if (pathname.startsWith("/v1/")) return json({ response: { id: "3259585719" }, errors: [] });
    if (pathname === "/generate_uuid") return json({ code: "ERR_FORBIDDEN", detail: "no" }, 403);
    const ids = Array.from({ length: Number(searchParams.get("count")) }, () => String(++last));
    return json({ ids });
  };
  return { fetch, requests };
}

export const client = {
  "client: IDs once and in order, a retry, an abort, an error, the end": async ({ bitflake, load }) => {
    const { BitflakeClient, ServiceError } = await load("bitflake/client");
    const { fetch, requests } = flakyService();
    const url = "https://ids.example";
    const ids = new BitflakeClient({ url, apiKey: "an-example-of-a-key", fetch });
    const made = await Promise.all(Array.from({ length: 500 }, () => ids.nextId()));
    for (let i = 0; i < 500; i++) made.push(await ids.nextId());
    increasing([...made, ...(await ids.nextIds(2500))], 3500);

    const { id, requestKey, isReplay } = await ids.issueNumericId("farmer");
    equal([id, requestKey.length, isReplay], ["3259585719", 36, false], "numeric ID");
    equal(requests.filter((request) => request.startsWith("POST")).length, 2, "attempts of the issue");

    const aborter = new AbortController();
    const aborted = ids.nextCounterValue({ signal: aborter.signal }).catch((error) => error);
    aborter.abort("enough");
    equal(await aborted, "enough", "reason");

    const error = await ids.uuid().catch((error) => error);
    truth(error instanceof ServiceError && error instanceof bitflake.BitflakeError, String(error));
    equal([error.code, error.status, error.serviceCode], ["ERR_SERVICE", 403, "ERR_FORBIDDEN"], "error");

    await ids.close();
    equal((await ids.nextId().catch((error) => error)).reason, "closed", "reason");
  },
};
