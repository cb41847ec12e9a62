// Leases in Redis: the protocol as scripts, each one step by the server's own clock.
//
// A hash holds all of a namespace: `shape`, `history`, `fence`, `stale` and `longest` as the protocol has them; `seen`,
// when a replica was last connected; each node as `<from> <until> <generation>:<nonce> <owner>`, the owner empty after
// a release; and each owner's node under `@<owner>`. bitflake 0.1.0 wrote nodes without generation and nonce.
// A sorted set for each space has its nodes by `until`, so that the one that has been free for longest is found without
// looking at the others. It is a hint: what it says of a node is granted only if the hash says the same, and it is made
// anew from the hash if it does not.
// An answer is one text that begins with a word: the Upstash client turns what reads like JSON into numbers.

import { callStore } from "../../backend/call.ts";
import type { RedisPort } from "../../backend/ports.ts";
import { redisKey } from "../../backend/storeNames.ts";
import { parseGrant, parseWholes } from "../parseAnswer.ts";
import type { AcquireOptions, LeasePort } from "../port.ts";
import type { NamespaceState, NodeState, LeaseAnswer, LeaseClaim, LeaseRequest, NodeSpace } from "../rule.ts";

/**
 * How long a Redis that had replicas goes on when none acknowledges any more, in milliseconds. A replica acknowledges
 * once a second. Another Redis that is promoted meanwhile waits for so much longer before it grants anything.
 */
const CUT_OFF_MS = 5000;

/** Reads a node. */
const HOLDING = `
local function holding(node)
  local value = redis.call('HGET', KEYS[1], node)
  if not value then return nil end
  local from, ends, generation, nonce, owner = string.match(value, '^(%d+) (%d+) (%d+):(%S*) (.*)$')
  if not from then
    from, ends, owner = string.match(value, '^(%d+) (%d+) (.*)$')
    generation, nonce = 0, ''
  end
  return { from = tonumber(from), ends = tonumber(ends), generation = tonumber(generation), nonce = nonce, owner = owner }
end
local function text(number) return string.format('%.0f', number) end
local function is_of(held, owner, nonce, generation, before)
  if not held or held.owner ~= owner then return false end
  if held.generation == generation then return held.nonce == before end
  if held.generation == generation + 1 then return held.nonce == nonce end
  return held.generation < generation
end
`;

/** What the scripts that grant begin with. ARGV: owner, nonce, now, skew, epoch, tick, ttl, reach, whether fenced. */
const PRELUDE = `${HOLDING}
local owner, nonce, now, skew = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local epoch, tick, ttl, reach = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local fenced = ARGV[9] == 'true'
local time = redis.call('TIME')
local store = time[1] * 1000 + math.floor(time[2] / 1000)
local function tick_at(ms) return math.floor((ms - epoch) / tick) end
local shape, history, fence, stale, longest, seen, mine =
  unpack(redis.call('HMGET', KEYS[1], 'shape', 'history', 'fence', 'stale', 'longest', 'seen', '@' .. owner))
fence, stale, longest, seen = tonumber(fence or 0), tonumber(stale or 0), tonumber(longest or 0), tonumber(seen or 0)
local function info(section)
  local facts = redis.pcall('INFO', section)
  return type(facts) == 'string' and facts or ''
end
local id, replica, former = '', 0, ''
if fenced then
  -- It is another one after each restart, and after each promotion of a replica.
  local facts = info('replication')
  former = string.match(facts, 'master_replid2:0*(%w*)') or ''
  id = string.match(facts, 'master_replid:(%w+)') or ''
  for lag in string.gmatch(facts, 'state=online,offset=%d+,lag=(%d+)') do
    replica = math.max(replica, store - lag * 1000)
  end
elseif seen > 0 then
  redis.call('HDEL', KEYS[1], 'seen')
end
local function notice()
  if not shape or id == '' or history == id then return end
  if (history or '') ~= '' then
    local cut = seen > 0 and math.ceil(${CUT_OFF_MS} / tick) or 0
    local at = tick_at(store) + cut
    fence = math.max(fence, at + math.max(longest, reach))
    stale = math.max(stale, at + math.ceil((reach - ttl) / 2))
  end
  seen = 0
  redis.call('HSET', KEYS[1], 'history', id, 'fence', text(fence), 'stale', text(stale), 'seen', '0')
end
local function is_stale(held)
  return fenced and held.ends <= stale
end
local function cut_off()
  local last = math.max(seen, replica)
  if fenced and last > 0 and store - last > ${CUT_OFF_MS} then return 'cut ' .. text(last) .. ' ' .. text(store) end
end
local function grant(node, from, ends, generation)
  ends = math.max(ends, tick_at(math.max(now, store)) + ttl)
  local value = text(from) .. ' ' .. text(ends) .. ' ' .. text(generation) .. ':' .. nonce .. ' ' .. owner
  redis.call('HSET', KEYS[1], node, value, '@' .. owner, node)
  if replica > seen then redis.call('HSET', KEYS[1], 'seen', text(replica)) end
  redis.call('ZADD', KEYS[2], text(ends), string.format('%016.0f', node))
  return 'granted ' .. node .. ' ' .. text(from) .. ' ' .. text(ends) .. ' ' .. text(store)
end
`;

/** ARGV from 10: shape, first, count. */
const ACQUIRE = `${PRELUDE}
local asked, first, count = ARGV[10], tonumber(ARGV[11]), tonumber(ARGV[12])
if shape and shape ~= asked then return 'shape ' .. shape end
if math.abs(now - store) > skew then return 'skew ' .. text(store) end
notice()
local cut = cut_off()
if cut then return cut end
if shape and longest < reach then redis.call('HSET', KEYS[1], 'longest', text(reach)) end
local held = mine and holding(mine)
if held and held.owner == owner and held.nonce == nonce and not is_stale(held) then
  return grant(mine, held.from, held.ends, 0)
end
local past = math.max(tick_at(math.min(now, store)), -1)
if not shape then
  -- Without persistence a restart forgets all. If that was just now, others may hold what is not in the hash.
  local up = fenced and string.match(info('server'), 'uptime_in_seconds:(%d+)')
  if up then fence = tick_at(store - up * 1000) + reach end
  -- A replica that was promoted may never have heard of the namespace. From this request on it is known when that ended.
  if former ~= '' then
    shape, fence = asked, tick_at(store) + reach + math.ceil(${CUT_OFF_MS} / tick)
    redis.call('HSET', KEYS[1], 'shape', shape, 'history', id, 'fence', text(fence), 'longest', text(reach))
  end
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1)
end
if fenced and fence > math.max(past, 0) then return 'fenced ' .. text(fence) .. ' ' .. text(store) end
local function choose()
  local size = redis.call('ZCARD', KEYS[2])
  if size < count then
    local node = text(first + size)
    if redis.call('HEXISTS', KEYS[1], node) == 0 then return node, -1 end
    return nil
  end
  local best = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
  local node, ends = tonumber(best[1]), tonumber(best[2])
  if not node or node < first or node >= first + count then return nil end
  held = holding(text(node))
  if held and held.ends == ends then return text(node), ends end
end
local node, ends = choose()
if not node then
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1)
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    local found = string.match(field, '^%d+$') and tonumber(field)
    if found and found >= first and found < first + count then
      redis.call('ZADD', KEYS[2], text(holding(field).ends), string.format('%016.0f', found))
    end
  end
  node, ends = choose()
  local next = first
  while not node do
    if redis.call('HEXISTS', KEYS[1], text(next)) == 0 then node, ends = text(next), -1 end
    next = next + 1
  end
end
if ends > past then return 'taken ' .. text(ends) .. ' ' .. text(store) end
if ends >= 0 then redis.call('HDEL', KEYS[1], '@' .. held.owner) end
if not shape then redis.call('HSET', KEYS[1], 'shape', asked, 'history', id, 'longest', text(reach)) end
return grant(node, math.max(ends, tick_at(now)), ends, 0)
`;

/** ARGV from 10: node, generation, nonce of the grant. */
const RENEW = `${PRELUDE}
local held, generation = holding(ARGV[10]), tonumber(ARGV[11])
notice()
if not is_of(held, owner, nonce, generation, ARGV[12]) or is_stale(held) then return 'lost ' .. text(store) end
if math.abs(now - store) > skew then return 'skew ' .. text(store) end
local cut = cut_off()
if cut then return cut end
return grant(ARGV[10], held.from, held.ends, generation + 1)
`;

/** ARGV: owner, nonce, node, generation, nonce of the grant, unused. */
const RELEASE = `${HOLDING}
local node, held = ARGV[3], holding(ARGV[3])
if not is_of(held, ARGV[1], ARGV[2], tonumber(ARGV[4]), ARGV[5]) then return 'late' end
local unused = text(math.max(tonumber(ARGV[6]), held.from))
redis.call('HSET', KEYS[1], node, text(held.from) .. ' ' .. unused .. ' ' .. text(held.generation) .. ':' .. held.nonce .. ' ')
redis.call('HDEL', KEYS[1], '@' .. ARGV[1])
redis.call('ZADD', KEYS[2], unused, string.format('%016.0f', node))
return 'released'
`;

const READ = `
local time = redis.call('TIME')
local book = redis.call('HGETALL', KEYS[1])
table.insert(book, 1, 'at ' .. string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
return table.concat(book, '\\n')
`;

export function redisStore(port: RedisPort, namespace: string): LeasePort {
  const book = redisKey(port, namespace, "lease");
  /** Where the nodes of a space are by `until`. */
  const index = (space: Pick<NodeSpace, "first">) => redisKey(port, namespace, `lease:${space.first}`);
  type Nodes = Pick<NodeSpace, "first" | "count">;
  /** @param nodes those that the answer may be about */
  const granting = (
    operation: string,
    space: NodeSpace,
    nodes: Nodes,
    script: string,
    [{ owner, nonce }, nowMs, ...rest]: readonly [LeaseRequest, ...unknown[]],
    asking?: AcquireOptions,
  ) => {
    const { maxSkewMs, epochMs, tickMs, ttlTicks, reach, isFenced } = space;
    const common = [owner, nonce, nowMs, maxSkewMs, epochMs, tickMs, ttlTicks, reach, isFenced];
    const call = () => port.eval(script, [book, index(space)], [...common, ...rest].map(String));
    return callStore(port, operation, call, (answer) => readAnswer(nodes, answer), asking);
  };
  return {
    acquire: (space, request, nowMs, asking) => {
      const args = [request, nowMs, space.shape, space.first, space.count] as const;
      return granting("lease: acquire", space, space, ACQUIRE, args, asking);
    },
    renew: (space, claim, nowMs, asking) => {
      const { node, generation, grantNonce } = claim;
      const nodes = { first: node, count: 1 };
      return granting("lease: renew", space, nodes, RENEW, [claim, nowMs, node, generation, grantNonce], asking);
    },
    release: async (space, { owner, nonce, node, generation, grantNonce }: LeaseClaim, unused) => {
      const args = [owner, nonce, node, generation, grantNonce, unused].map(String);
      const call = () => port.eval(RELEASE, [book, index(space)], args);
      await callStore(
        port,
        "lease: release",
        call,
        (answer) => answer === "released" || answer === "late" || undefined,
      );
    },
    read: () => callStore(port, "lease: read", () => port.eval(READ, [book], []), readBook),
  };
}

function readAnswer(nodes: Pick<NodeSpace, "first" | "count">, answer: unknown): LeaseAnswer | undefined {
  if (typeof answer !== "string") return undefined;
  const [outcome, ...values] = answer.split(" ");
  if (outcome === "granted") return parseGrant(nodes, values);
  if (outcome === "shape") return { outcome, shape: values.join(" ") };
  const [first = 0, second = 0] = parseWholes(values);
  if (values.length === 2) {
    if (outcome === "taken") return { outcome, soonest: first, storeMs: second };
    if (outcome === "fenced") return { outcome, until: first, storeMs: second };
    if (outcome === "cut") return { outcome, seenMs: first, storeMs: second };
  }
  if ((outcome === "lost" || outcome === "skew") && values.length === 1) return { outcome, storeMs: first };
  return undefined;
}

function readBook(answer: unknown): { book: NamespaceState | undefined; storeMs: number } | undefined {
  if (typeof answer !== "string") return undefined;
  const [at, ...lines] = answer.split("\n");
  const [storeMs = 0] = parseWholes([at?.replace(/^at /, "")]);
  const named = new Map<string, string>();
  const nodes = new Map<number, NodeState>();
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const [name = "", value = ""] = lines.slice(i, i + 2);
    named.set(name, value);
    if (!/^\d/.test(name)) continue;
    const [, from, until, generation = 0, nonce = "", owner] =
      /^(\d+) (\d+) (?:(\d+):(\S*) )?(.*)$/.exec(value) ?? [];
    const [node = 0, first = 0, end = 0, renewals = 0] = parseWholes([name, from, until, generation]);
    nodes.set(node, { owner: owner || null, from: first, until: end, generation: renewals, nonce });
  }
  const numbers = ["fence", "stale", "longest"].map((name) => named.get(name) ?? 0);
  const [fence = 0, stale = 0, longest = 0] = parseWholes(numbers);
  const shape = named.get("shape");
  const history = named.get("history") ?? "";
  return {
    book: shape === undefined ? undefined : { shape, nodes, history, fence, stale, longest },
    storeMs,
  };
}
