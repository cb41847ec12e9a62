// Leases in Redis: the protocol as scripts, each one step by the server's own clock.
//
// A hash holds all of a namespace: `shape`; each node as `<from> <until> <owner>`, the owner empty after a release;
// and each owner's node under `@<owner>`. A sorted set for each space has its nodes by `until`, so that the one that
// has been free for longest is found without looking at the others. An answer is one text that begins with a word: the
// Upstash client turns what reads like JSON into numbers.

import { ask } from "../backend/ask.ts";
import type { RedisPort } from "../backend/ports.ts";
import { keyOf } from "../backend/settings.ts";
import { readGrant, wholes } from "./answer.ts";
import type { Answer, Book, Holding, Space } from "./protocol.ts";
import type { Acquiring, LeaseStore } from "./store.ts";

/** What the scripts that grant begin with. ARGV: owner, now, skew, epoch, tick, ttl. */
const PRELUDE = `
local owner, now, skew = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local epoch, tick, ttl = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local time = redis.call('TIME')
local store = time[1] * 1000 + math.floor(time[2] / 1000)
local function text(number) return string.format('%.0f', number) end
local function tick_at(ms) return math.floor((ms - epoch) / tick) end
local function holding(node)
  local value = redis.call('HGET', KEYS[1], node)
  if not value then return nil end
  local from, ends, holder = string.match(value, '^(%d+) (%d+) (.*)$')
  return { from = tonumber(from), ends = tonumber(ends), owner = holder }
end
local function grant(node, from, ends)
  ends = math.max(ends, tick_at(math.max(now, store)) + ttl)
  redis.call('HSET', KEYS[1], node, text(from) .. ' ' .. text(ends) .. ' ' .. owner, '@' .. owner, node)
  redis.call('ZADD', KEYS[2], text(ends), string.format('%016.0f', node))
  return 'granted ' .. node .. ' ' .. text(from) .. ' ' .. text(ends) .. ' ' .. text(store)
end
`;

/** ARGV from 7: shape, first, count. */
const ACQUIRE = `${PRELUDE}
local shape, first, count = ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[9])
local known, mine = unpack(redis.call('HMGET', KEYS[1], 'shape', '@' .. owner))
if known and known ~= shape then return 'shape ' .. known end
if math.abs(now - store) > skew then return 'skew ' .. text(store) end
if mine then
  local held = holding(mine)
  return grant(mine, held.from, held.ends)
end
local size = redis.call('ZCARD', KEYS[2])
local node, ends
if size < count then
  node, ends = text(first + size), -1
else
  local best = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
  node, ends = text(tonumber(best[1])), tonumber(best[2])
  if ends > tick_at(math.min(now, store)) then return 'taken ' .. text(ends) .. ' ' .. text(store) end
  redis.call('HDEL', KEYS[1], '@' .. holding(node).owner)
end
if not known then redis.call('HSET', KEYS[1], 'shape', shape) end
return grant(node, math.max(ends, tick_at(now)), ends)
`;

/** ARGV[7]: node. */
const RENEW = `${PRELUDE}
local held = holding(ARGV[7])
if not held or held.owner ~= owner then return 'lost ' .. text(store) end
if math.abs(now - store) > skew then return 'skew ' .. text(store) end
return grant(ARGV[7], held.from, held.ends)
`;

/** ARGV: owner, node, unused. */
const RELEASE = `
local from, ends, holder = string.match(redis.call('HGET', KEYS[1], ARGV[2]) or '', '^(%d+) (%d+) (.*)$')
if holder ~= ARGV[1] then return 'late' end
local unused = string.format('%.0f', math.min(tonumber(ends), math.max(tonumber(ARGV[3]), tonumber(from))))
redis.call('HSET', KEYS[1], ARGV[2], from .. ' ' .. unused .. ' ')
redis.call('HDEL', KEYS[1], '@' .. ARGV[1])
redis.call('ZADD', KEYS[2], unused, string.format('%016.0f', ARGV[2]))
return 'released'
`;

const READ = `
local time = redis.call('TIME')
local book = redis.call('HGETALL', KEYS[1])
table.insert(book, 1, 'at ' .. string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
return table.concat(book, '\\n')
`;

export function redisStore(port: RedisPort, namespace: string): LeaseStore {
  const book = keyOf(port, namespace, "lease");
  /** Where the nodes of a space are by `until`. */
  const index = (space: Pick<Space, "first">) => keyOf(port, namespace, `lease:${space.first}`);
  type Nodes = Pick<Space, "first" | "count">;
  /** @param nodes those that the answer may be about */
  const granting = (space: Space, nodes: Nodes, script: string, args: unknown[], asking?: Acquiring) => {
    const { maxSkewMs, epochMs, tickMs, ttlTicks } = space;
    const [owner, nowMs, ...rest] = args;
    const words = [owner, nowMs, maxSkewMs, epochMs, tickMs, ttlTicks, ...rest].map(String);
    const call = () => port.eval(script, [book, index(space)], words);
    const operation = script === ACQUIRE ? "lease: acquire" : "lease: renew";
    return ask(port, operation, call, (answer) => readAnswer(nodes, answer), asking);
  };
  return {
    acquire: (space, owner, nowMs, asking) => {
      const args = [owner, nowMs, space.shape, space.first, space.count];
      return granting(space, space, ACQUIRE, args, asking);
    },
    renew: (space, owner, node, nowMs, asking) =>
      granting(space, { first: node, count: 1 }, RENEW, [owner, nowMs, node], asking),
    release: async (space, owner, node, unused) => {
      const call = () => port.eval(RELEASE, [book, index(space)], [owner, `${node}`, `${unused}`]);
      await ask(
        port,
        "lease: release",
        call,
        (answer) => answer === "released" || answer === "late" || undefined,
      );
    },
    read: () => ask(port, "lease: read", () => port.eval(READ, [book], []), readBook),
  };
}

function readAnswer(nodes: Pick<Space, "first" | "count">, answer: unknown): Answer | undefined {
  if (typeof answer !== "string") return undefined;
  const [outcome, ...values] = answer.split(" ");
  if (outcome === "granted") return readGrant(nodes, values);
  if (outcome === "shape") return { outcome, shape: values.join(" ") };
  const [first = 0, second = 0] = wholes(values);
  if (outcome === "taken" && values.length === 2) return { outcome, soonest: first, storeMs: second };
  if ((outcome === "lost" || outcome === "skew") && values.length === 1) return { outcome, storeMs: first };
  return undefined;
}

function readBook(answer: unknown): { book: Book | undefined; storeMs: number } | undefined {
  if (typeof answer !== "string") return undefined;
  const [at, ...lines] = answer.split("\n");
  const [storeMs = 0] = wholes([at?.replace(/^at /, "")]);
  let shape: string | undefined;
  const nodes = new Map<number, Holding>();
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const [name = "", value = ""] = lines.slice(i, i + 2);
    if (name === "shape") shape = value;
    if (!/^\d/.test(name)) continue;
    const [, from, until, owner] = /^(\d+) (\d+) (.*)$/.exec(value) ?? [];
    const [node = 0, first = 0, end = 0] = wholes([name, from, until]);
    nodes.set(node, { owner: owner || null, from: first, until: end });
  }
  return { book: shape === undefined ? undefined : { shape, nodes }, storeMs };
}
