// Leases in Redis: runs the scripts and parses their answers.

import { type AnswerOptions, callStore } from "../../backend/call.ts";
import type { RedisPort } from "../../backend/ports.ts";
import { redisKey } from "../../backend/storeNames.ts";
import { type NodeRange, parseGrant, parseIntegers, parseNode } from "../parseAnswer.ts";
import { acquireCallOptions, type LeasePort, type NamespaceSnapshot } from "../port.ts";
import type { GrantProof, LeaseAnswer, LeaseRequest, LeaseTerms, NodeSpace, NodeState } from "../rule.ts";
import { ACQUIRE, READ, RELEASE, RENEW } from "./redisScripts.ts";

export function redisLeasePort(backend: RedisPort, name: string): LeasePort {
  const hashKey = redisKey(backend, name, "lease");
  /** Returns the key of the sorted set of a space. */
  const indexKey = ({ first }: NodeSpace) => redisKey(backend, name, `lease:${first}`);
  /** @param nodes the nodes that the answer may be about */
  const callScript = (
    operation: string,
    terms: LeaseTerms,
    nodes: NodeRange,
    script: string,
    [{ owner, nonce }, nowMs, ...rest]: readonly [LeaseRequest, ...unknown[]],
    options?: AnswerOptions<LeaseAnswer>,
  ) => {
    const { maxSkewMs, maxSkewTicks, epochMs, tickMs, ttlTicks, maxReachTicks, usesFence } = terms;
    const common = [
      ...[owner, nonce, nowMs, maxSkewMs, maxSkewTicks],
      ...[epochMs, tickMs, ttlTicks, maxReachTicks, usesFence],
    ];
    const call = () => backend.eval(script, [hashKey, indexKey(terms)], [...common, ...rest].map(String));
    return callStore(backend, operation, call, (answer) => parseAnswer(nodes, answer), options);
  };
  return {
    acquire: (terms, request, nowMs, options) => {
      const args = [request, nowMs, terms.shape, terms.first, terms.count] as const;
      return callScript("lease: acquire", terms, terms, ACQUIRE, args, acquireCallOptions(options));
    },
    renew: (terms, proof, nowMs, options) => {
      const { node, generation, grantNonce } = proof;
      const nodes = { first: node, count: 1 };
      const args = [proof, nowMs, node, generation, grantNonce] as const;
      return callScript("lease: renew", terms, nodes, RENEW, args, options);
    },
    release: async (space, { owner, nonce, node, generation, grantNonce }: GrantProof, nextTick) => {
      const args = [owner, nonce, node, generation, grantNonce, nextTick].map(String);
      const call = () => backend.eval(RELEASE, [hashKey, indexKey(space)], args);
      const parse = (answer: unknown) => answer === "released" || answer === "not current" || undefined;
      await callStore(backend, "lease: release", call, parse);
    },
    read: () => callStore(backend, "lease: read", () => backend.eval(READ, [hashKey], []), parseState),
  };
}

function parseAnswer(nodes: NodeRange, answer: unknown): LeaseAnswer | undefined {
  if (typeof answer !== "string") return undefined;
  const [outcome, ...values] = answer.split(" ");
  if (outcome === "granted") return parseGrant(nodes, values);
  if (outcome === "shape") return { outcome, shape: values.join(" ") };
  const [first = 0, second = 0] = parseIntegers(values);
  if (values.length === 2) {
    if (outcome === "taken") return { outcome, soonest: first, storeMs: second };
    if (outcome === "fenced") return { outcome, until: first, storeMs: second };
    if (outcome === "cut") return { outcome: "cutOff", seenMs: first, storeMs: second };
  }
  if ((outcome === "lost" || outcome === "skew") && values.length === 1) return { outcome, storeMs: first };
  return undefined;
}

function parseState(answer: unknown): NamespaceSnapshot | undefined {
  if (typeof answer !== "string") return undefined;
  const [at, ...lines] = answer.split("\n");
  const [storeMs = 0] = parseIntegers([at?.replace(/^at /, "")]);
  const fields = new Map<string, string>();
  const nodes = new Map<number, NodeState>();
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const [field = "", value = ""] = lines.slice(i, i + 2);
    fields.set(field, value);
    if (!/^\d/.test(field)) continue;
    const [, from, until, generation = 0, nonce = "", owner] =
      /^(\d+) (\d+) (?:(\d+):(\S*) )?(.*)$/.exec(value) ?? [];
    nodes.set(...parseNode(field, { owner: owner || null, from, until, generation, nonce }));
  }
  const shape = fields.get("shape");
  if (shape === undefined) return { state: undefined, storeMs };
  const numbers = ["fence", "stale", "longest"].map((field) => fields.get(field) ?? 0);
  const [fence = 0, staleUntil = 0, longestReachTicks = 0] = parseIntegers(numbers);
  const historyId = fields.get("history") ?? "";
  return { state: { shape, nodes, historyId, fence, staleUntil, longestReachTicks }, storeMs };
}
