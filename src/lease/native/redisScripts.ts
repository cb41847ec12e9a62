// Leases in Redis: the protocol as Lua scripts, each one an atomic step by the server's clock.
//
// A hash holds the state of a namespace: `shape`, `history`, `fence`, `stale` and `longest` as in the protocol; `seen`,
// when a replica was last connected; each node as `<from> <until> <generation>:<nonce> <owner>`, with an empty owner
// after a release; and each owner's node under `@<owner>`. bitflake 0.1.0 wrote nodes without generation and nonce.
// A sorted set per space holds its nodes by `until`, so that the node that has been free for longest is found without
// reading the others. The set is a hint; if it disagrees with the hash, it is rebuilt.
// An answer is one text that begins with a word, because the Upstash client parses text that looks like JSON.

/**
 * How long a Redis that had replicas keeps granting when none acknowledges any more, in milliseconds. A replica
 * acknowledges once a second. A Redis that is promoted meanwhile waits this much longer before it grants anything.
 */
const CUT_OFF_MS = 5000;

/** Lua functions that parse a node and compare it with a claim. */
const NODE_FUNCTIONS = `
local function read_node(node)
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
local function is_current(held, owner, nonce, generation, grant_nonce)
  if not held or held.owner ~= owner then return false end
  if held.generation == generation then return held.nonce == grant_nonce end
  if held.generation == generation + 1 then return held.nonce == nonce end
  return held.generation < generation
end
`;

/** Beginning of the scripts that grant. ARGV: owner, nonce, now, skew, epoch, tick, ttl, reach, whether fenced. */
const PRELUDE = `${NODE_FUNCTIONS}
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
local id, replica, previous_id = '', 0, ''
if fenced then
  -- The replication ID changes with each restart and each promotion of a replica.
  local facts = info('replication')
  previous_id = string.match(facts, 'master_replid2:0*(%w*)') or ''
  id = string.match(facts, 'master_replid:(%w+)') or ''
  for lag in string.gmatch(facts, 'state=online,offset=%d+,lag=(%d+)') do
    replica = math.max(replica, store - lag * 1000)
  end
elseif seen > 0 then
  redis.call('HDEL', KEYS[1], 'seen')
end
local function notice_history()
  if not shape or id == '' or history == id then return end
  if (history or '') ~= '' then
    local cut_off_ticks = seen > 0 and math.ceil(${CUT_OFF_MS} / tick) or 0
    local at = tick_at(store) + cut_off_ticks
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
export const ACQUIRE: string = `${PRELUDE}
local asked, first, count = ARGV[10], tonumber(ARGV[11]), tonumber(ARGV[12])
if shape and shape ~= asked then return 'shape ' .. shape end
if math.abs(now - store) > skew then return 'skew ' .. text(store) end
notice_history()
local refusal = cut_off()
if refusal then return refusal end
if shape and longest < reach then redis.call('HSET', KEYS[1], 'longest', text(reach)) end
local held = mine and read_node(mine)
if held and held.owner == owner and held.nonce == nonce and not is_stale(held) then
  return grant(mine, held.from, held.ends, 0)
end
local passed = math.max(tick_at(math.min(now, store)), -1)
if not shape then
  -- Without persistence a restart forgets everything. After a recent one, others may hold nodes that are not in the hash.
  local up = fenced and string.match(info('server'), 'uptime_in_seconds:(%d+)')
  if up then fence = tick_at(store - up * 1000) + reach end
  -- A promoted replica may never have received the namespace. The fence is stored from the first request on.
  if previous_id ~= '' then
    shape, fence = asked, tick_at(store) + reach + math.ceil(${CUT_OFF_MS} / tick)
    redis.call('HSET', KEYS[1], 'shape', shape, 'history', id, 'fence', text(fence), 'longest', text(reach))
  end
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1)
end
if fenced and fence > math.max(passed, 0) then return 'fenced ' .. text(fence) .. ' ' .. text(store) end
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
  held = read_node(text(node))
  if held and held.ends == ends then return text(node), ends end
end
local node, ends = choose()
if not node then
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1)
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    local found = string.match(field, '^%d+$') and tonumber(field)
    if found and found >= first and found < first + count then
      redis.call('ZADD', KEYS[2], text(read_node(field).ends), string.format('%016.0f', found))
    end
  end
  node, ends = choose()
  local next = first
  while not node do
    if redis.call('HEXISTS', KEYS[1], text(next)) == 0 then node, ends = text(next), -1 end
    next = next + 1
  end
end
if ends > passed then return 'taken ' .. text(ends) .. ' ' .. text(store) end
if ends >= 0 then redis.call('HDEL', KEYS[1], '@' .. held.owner) end
if not shape then redis.call('HSET', KEYS[1], 'shape', asked, 'history', id, 'longest', text(reach)) end
return grant(node, math.max(ends, tick_at(now)), ends, 0)
`;

/** ARGV from 10: node, generation, nonce of the grant. */
export const RENEW: string = `${PRELUDE}
local held, generation = read_node(ARGV[10]), tonumber(ARGV[11])
notice_history()
if not is_current(held, owner, nonce, generation, ARGV[12]) or is_stale(held) then return 'lost ' .. text(store) end
if math.abs(now - store) > skew then return 'skew ' .. text(store) end
local refusal = cut_off()
if refusal then return refusal end
return grant(ARGV[10], held.from, held.ends, generation + 1)
`;

/** ARGV: owner, nonce, node, generation, nonce of the grant, first tick not stamped. */
export const RELEASE: string = `${NODE_FUNCTIONS}
local node, held = ARGV[3], read_node(ARGV[3])
if not is_current(held, ARGV[1], ARGV[2], tonumber(ARGV[4]), ARGV[5]) then return 'late' end
local ends = text(math.max(tonumber(ARGV[6]), held.from))
redis.call('HSET', KEYS[1], node, text(held.from) .. ' ' .. ends .. ' ' .. text(held.generation) .. ':' .. held.nonce .. ' ')
redis.call('HDEL', KEYS[1], '@' .. ARGV[1])
redis.call('ZADD', KEYS[2], ends, string.format('%016.0f', node))
return 'released'
`;

/** Returns the time and all fields of the hash, one per line. */
export const READ = `
local time = redis.call('TIME')
local fields = redis.call('HGETALL', KEYS[1])
table.insert(fields, 1, 'at ' .. string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
return table.concat(fields, '\\n')
`;
