// Leases in Redis: the rule as Lua scripts, each one an atomic step by the server's clock.
//
// A hash holds the state of a namespace: `shape` and `fence` as in the rule; `history`, `stale` and `longest`, which are
// `historyId`, `staleUntil` and `longestReachTicks` there; `seen`, when a replica last acknowledged, as far as a grant
// has noticed, and `cut`, that it was too long ago for the last request; each node as
// `<from> <until> <generation>:<nonce> <owner>`, with an empty owner after a release; and each owner's node under
// `@<owner>`. bitflake 0.1.0 wrote nodes without generation and nonce. The variables have the names of the rule in Lua's
// spelling, with exceptions such as `until_tick` for `until`, which is a keyword in Lua; `now`, `store`, `max_skew`, `epoch`,
// `tick` and `ttl` are without their unit. `replication_id` is the history ID that the store reports, `previous_id` the one
// before (empty if there is none), and `replica` the time when a replica last acknowledged, 0 if none is connected.
// A sorted set per space holds its nodes by `until`, so that the node that has been free for longest is found without
// reading the others. Its members have 16 digits, so that of equal `until` the smallest node is first. The set is a hint; if it
// disagrees with the hash, it is rebuilt. An answer is one string that begins with a word, because the Upstash client parses
// strings that look like JSON.

/**
 * How long a Redis that had replicas keeps granting when none acknowledges any more, in milliseconds. A replica
 * acknowledges once a second. A Redis that is promoted meanwhile waits this much longer before it grants anything.
 */
const CUT_OFF_MS = 5000;

/** Lua functions that parse a node and compare it with a proof. */
const NODE_FUNCTIONS = `
local function read_node(node)
  local value = redis.call('HGET', KEYS[1], node)
  if not value then return nil end
  local from, until_tick, generation, nonce, owner = string.match(value, '^(%d+) (%d+) (%d+):(%S*) (.*)$')
  if not from then
    from, until_tick, owner = string.match(value, '^(%d+) (%d+) (.*)$')
    generation, nonce = 0, ''
  end
  return {
    from = tonumber(from), until_tick = tonumber(until_tick), generation = tonumber(generation), nonce = nonce, owner = owner
  }
end
local function digits(number) return string.format('%.0f', number) end
local function is_current(held, owner, nonce, generation, grant_nonce)
  if not held or held.owner ~= owner then return false end
  if held.generation == generation then return held.nonce == grant_nonce end
  if held.generation == generation + 1 then return held.nonce == nonce end
  return held.generation < generation
end
`;

/**
 * Beginning of the scripts that grant. ARGV: owner, nonce, the holder's time, maxSkewMs, maxSkewTicks, epochMs, tickMs,
 * ttlTicks, maxReachTicks, usesFence.
 */
const PRELUDE = `${NODE_FUNCTIONS}
local owner, nonce = ARGV[1], ARGV[2]
local now, max_skew, max_skew_ticks = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local epoch, tick, ttl, max_reach_ticks = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local uses_fence = ARGV[10] == 'true'
local time = redis.call('TIME')
local store = time[1] * 1000 + math.floor(time[2] / 1000)
local function tick_at(ms) return math.floor((ms - epoch) / tick) end
local shape, history_id, fence, stale_until, longest_reach_ticks, seen, cut, own_node =
  unpack(redis.call('HMGET', KEYS[1], 'shape', 'history', 'fence', 'stale', 'longest', 'seen', 'cut', '@' .. owner))
fence, stale_until = tonumber(fence or 0), tonumber(stale_until or 0)
longest_reach_ticks, seen = tonumber(longest_reach_ticks or 0), tonumber(seen or 0)
local function info(section)
  local facts = redis.pcall('INFO', section)
  return type(facts) == 'string' and facts or ''
end
local replication_id, replica, previous_id = '', 0, ''
if uses_fence then
  -- The replication ID changes with each restart and each promotion of a replica.
  local facts = info('replication')
  -- An ID of zeros means that there is none.
  previous_id = string.match(facts, 'master_replid2:0*(%w*)') or ''
  replication_id = string.match(facts, 'master_replid:(%w+)') or ''
  for lag in string.gmatch(facts, 'state=online,offset=%d+,lag=(%d+)') do
    -- Both times of the lag are whole seconds, so the acknowledgement may be a second older.
    replica = math.max(replica, store - (lag + 1) * 1000)
  end
elseif seen > 0 then
  -- fence: false says that there are no replicas any more, which ends a StoreCutOffError.
  redis.call('HDEL', KEYS[1], 'seen', 'cut')
end
local function notice_history()
  if not shape or replication_id == '' or history_id == replication_id then return end
  if (history_id or '') ~= '' then
    local cut_off_ticks = seen > 0 and math.ceil(${CUT_OFF_MS} / tick) or 0
    local at = tick_at(store) + cut_off_ticks
    fence = math.max(fence, at + math.max(longest_reach_ticks, max_reach_ticks))
    stale_until = math.max(stale_until, at + max_skew_ticks)
  end
  -- Its replicas are not connected yet, or it is a replica that was promoted and has none. A primary that was cut off before
  -- it restarted remains so; with a previous ID it may as well have been promoted.
  if not cut or previous_id ~= '' then seen = 0 end
  redis.call('HSET', KEYS[1], 'history', replication_id, 'fence', digits(fence), 'stale', digits(stale_until))
  redis.call('HSET', KEYS[1], 'seen', digits(seen))
end
local function is_stale(held)
  return uses_fence and held.until_tick <= stale_until
end
local function cut_off()
  local last = math.max(seen, replica)
  if uses_fence and last > 0 and store - last > ${CUT_OFF_MS} then
    -- A Redis with min-replicas-to-write refuses the write, too.
    if not cut then redis.pcall('HSET', KEYS[1], 'cut', '1') end
    return 'cut ' .. digits(last) .. ' ' .. digits(store)
  end
end
local function grant(node, from, until_tick, generation)
  until_tick = math.max(until_tick, tick_at(math.max(now, store)) + ttl)
  local value =
    digits(from) .. ' ' .. digits(until_tick) .. ' ' .. digits(generation) .. ':' .. nonce .. ' ' .. owner
  redis.call('HSET', KEYS[1], node, value, '@' .. owner, node)
  if replica > seen then redis.call('HSET', KEYS[1], 'seen', digits(replica)) end
  if cut then redis.call('HDEL', KEYS[1], 'cut') end
  redis.call('ZADD', KEYS[2], digits(until_tick), string.format('%016.0f', node))
  return 'granted ' .. node .. ' ' .. digits(from) .. ' ' .. digits(until_tick) .. ' ' .. digits(store)
end
`;

/** ARGV from 11: shape, first, count. */
export const ACQUIRE: string = `${PRELUDE}
local request_shape, first, count = ARGV[11], tonumber(ARGV[12]), tonumber(ARGV[13])
if shape and shape ~= request_shape then return 'shape ' .. shape end
if math.abs(now - store) > max_skew then return 'skew ' .. digits(store) end
notice_history()
local refusal = cut_off()
if refusal then return refusal end
if shape and longest_reach_ticks < max_reach_ticks then
  redis.call('HSET', KEYS[1], 'longest', digits(max_reach_ticks))
end
local own = own_node and read_node(own_node)
if own and own.owner == owner and own.nonce == nonce and not is_stale(own) then
  return grant(own_node, own.from, own.until_tick, 0)
end
local reached_by_both = math.max(tick_at(math.min(now, store)), -1)
if not shape then
  -- Without persistence a restart forgets everything. After a recent one, others may hold nodes that are not in the hash.
  local up = uses_fence and string.match(info('server'), 'uptime_in_seconds:(%d+)')
  if up then fence = tick_at(store - up * 1000) + max_reach_ticks end
  -- A promoted replica may never have received the namespace, and an RDB file may be older than it. This fence is
  -- counted from now, so it is stored, although the request is refused: computed anew each time, it would never be reached.
  if previous_id ~= '' then
    shape, fence = request_shape, tick_at(store) + max_reach_ticks + math.ceil(${CUT_OFF_MS} / tick)
    redis.call('HSET', KEYS[1], 'shape', shape, 'history', replication_id)
    redis.call('HSET', KEYS[1], 'fence', digits(fence), 'longest', digits(max_reach_ticks))
  end
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1)
end
if uses_fence and fence > math.max(reached_by_both, 0) then return 'fenced ' .. digits(fence) .. ' ' .. digits(store) end
local function choose()
  local size = redis.call('ZCARD', KEYS[2])
  if size < count then
    local node = digits(first + size)
    if redis.call('HEXISTS', KEYS[1], node) == 0 then return node, -1 end
    return nil
  end
  local best = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
  local node, until_tick = tonumber(best[1]), tonumber(best[2])
  if not node or node < first or node >= first + count then return nil end
  local held = read_node(digits(node))
  if held and held.until_tick == until_tick then return digits(node), until_tick, held.owner end
end
local node, until_tick, last_owner = choose()
if not node then
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1)
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    local found = string.match(field, '^%d+$') and tonumber(field)
    if found and found >= first and found < first + count then
      redis.call('ZADD', KEYS[2], digits(read_node(field).until_tick), string.format('%016.0f', found))
    end
  end
  node, until_tick, last_owner = choose()
  local next = first
  while not node do
    if redis.call('HEXISTS', KEYS[1], digits(next)) == 0 then node, until_tick = digits(next), -1 end
    next = next + 1
  end
end
if until_tick > reached_by_both then return 'taken ' .. digits(until_tick) .. ' ' .. digits(store) end
-- The last owner no longer has this node.
if last_owner then redis.call('HDEL', KEYS[1], '@' .. last_owner) end
if not shape then
  redis.call('HSET', KEYS[1], 'shape', request_shape, 'history', replication_id, 'longest', digits(max_reach_ticks))
end
return grant(node, math.max(until_tick, tick_at(now)), until_tick, 0)
`;

/** ARGV from 11: node, generation, grantNonce. */
export const RENEW: string = `${PRELUDE}
local held, generation = read_node(ARGV[11]), tonumber(ARGV[12])
notice_history()
if not is_current(held, owner, nonce, generation, ARGV[13]) or is_stale(held) then return 'lost ' .. digits(store) end
if math.abs(now - store) > max_skew then return 'skew ' .. digits(store) end
local refusal = cut_off()
if refusal then return refusal end
return grant(ARGV[11], held.from, held.until_tick, generation + 1)
`;

/** ARGV: owner, nonce, node, generation, grantNonce, nextTick. */
export const RELEASE: string = `${NODE_FUNCTIONS}
local node, held = ARGV[3], read_node(ARGV[3])
if not is_current(held, ARGV[1], ARGV[2], tonumber(ARGV[4]), ARGV[5]) then return 'not current' end
local until_tick = digits(math.max(tonumber(ARGV[6]), held.from))
local grant = digits(held.from) .. ' ' .. until_tick .. ' ' .. digits(held.generation) .. ':' .. held.nonce
redis.call('HSET', KEYS[1], node, grant .. ' ')
redis.call('HDEL', KEYS[1], '@' .. ARGV[1])
redis.call('ZADD', KEYS[2], until_tick, string.format('%016.0f', node))
return 'released'
`;

/** Returns the time and all fields of the hash, one per line. */
export const READ = `
local time = redis.call('TIME')
local fields = redis.call('HGETALL', KEYS[1])
table.insert(fields, 1, 'at ' .. string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
return table.concat(fields, '\\n')
`;
