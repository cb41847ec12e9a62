// Leases in Redis: runs the scripts and parses their answers.

import { callStore } from "../../backend/call.ts";
import type { RedisPort } from "../../backend/ports.ts";
import { redisKey } from "../../backend/storeNames.ts";
import { type NodeRange, parseGrant, parseWholes } from "../parseAnswer.ts";
import type { AcquireOptions, LeasePort, NamespaceReading } from "../port.ts";
import type { LeaseAnswer, LeaseClaim, LeaseRequest, NodeSpace, NodeState } from "../rule.ts";
import { ACQUIRE, READ, RELEASE, RENEW } from "./redisScripts.ts";

export function redisLeasePort(port: RedisPort, name: string): LeasePort {
  const hashKey = redisKey(port, name, "lease");
  /** Returns the key of the sorted set of a space. */
  const indexKey = (space: Pick<NodeSpace, "first">) => redisKey(port, name, `lease:${space.first}`);
  /** @param nodes the nodes that the answer may be about */
  const callScript = (
    operation: string,
    space: NodeSpace,
    nodes: NodeRange,
    script: string,
    [{ owner, nonce }, nowMs, ...rest]: readonly [LeaseRequest, ...unknown[]],
    options?: AcquireOptions,
  ) => {
    const { maxSkewMs, epochMs, tickMs, ttlTicks, reach, isFenced } = space;
    const common = [owner, nonce, nowMs, maxSkewMs, epochMs, tickMs, ttlTicks, reach, isFenced];
    const call = () => port.eval(script, [hashKey, indexKey(space)], [...common, ...rest].map(String));
    return callStore(port, operation, call, (answer) => parseAnswer(nodes, answer), options);
  };
  return {
    acquire: (space, request, nowMs, options) => {
      const args = [request, nowMs, space.shape, space.first, space.count] as const;
      return callScript("lease: acquire", space, space, ACQUIRE, args, options);
    },
    renew: (space, claim, nowMs, options) => {
      const { node, generation, grantNonce } = claim;
      const nodes = { first: node, count: 1 };
      return callScript(
        "lease: renew",
        space,
        nodes,
        RENEW,
        [claim, nowMs, node, generation, grantNonce],
        options,
      );
    },
    release: async (space, { owner, nonce, node, generation, grantNonce }: LeaseClaim, firstUnstamped) => {
      const args = [owner, nonce, node, generation, grantNonce, firstUnstamped].map(String);
      const call = () => port.eval(RELEASE, [hashKey, indexKey(space)], args);
      await callStore(
        port,
        "lease: release",
        call,
        (answer) => answer === "released" || answer === "late" || undefined,
      );
    },
    read: () => callStore(port, "lease: read", () => port.eval(READ, [hashKey], []), parseState),
  };
}

function parseAnswer(nodes: NodeRange, answer: unknown): LeaseAnswer | undefined {
  if (typeof answer !== "string") return undefined;
  const [outcome, ...values] = answer.split(" ");
  if (outcome === "granted") return parseGrant(nodes, values);
  if (outcome === "shape") return { outcome, shape: values.join(" ") };
  const [first = 0, second = 0] = parseWholes(values);
  if (values.length === 2) {
    if (outcome === "taken") return { outcome, soonest: first, storeMs: second };
    if (outcome === "fenced") return { outcome, until: first, storeMs: second };
    if (outcome === "cut") return { outcome: "cutOff", seenMs: first, storeMs: second };
  }
  if ((outcome === "lost" || outcome === "skew") && values.length === 1) return { outcome, storeMs: first };
  return undefined;
}

function parseState(answer: unknown): NamespaceReading | undefined {
  if (typeof answer !== "string") return undefined;
  const [at, ...lines] = answer.split("\n");
  const [storeMs = 0] = parseWholes([at?.replace(/^at /, "")]);
  const fields = new Map<string, string>();
  const nodes = new Map<number, NodeState>();
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const [field = "", value = ""] = lines.slice(i, i + 2);
    fields.set(field, value);
    if (!/^\d/.test(field)) continue;
    const [, since, end, renewals = 0, nonce = "", owner] =
      /^(\d+) (\d+) (?:(\d+):(\S*) )?(.*)$/.exec(value) ?? [];
    const [node = 0, from = 0, until = 0, generation = 0] = parseWholes([field, since, end, renewals]);
    nodes.set(node, { owner: owner || null, from, until, generation, nonce });
  }
  const shape = fields.get("shape");
  if (shape === undefined) return { state: undefined, storeMs };
  const numbers = ["fence", "stale", "longest"].map((field) => fields.get(field) ?? 0);
  const [fence = 0, staleUntil = 0, longestReach = 0] = parseWholes(numbers);
  return {
    state: { shape, nodes, history: fields.get("history") ?? "", fence, staleUntil, longestReach },
    storeMs,
  };
}
