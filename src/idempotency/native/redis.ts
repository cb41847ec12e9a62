// Idempotency keys in Redis: each operation one script, by the server's own clock.
//
// A key is a hash: the fingerprint `f`, the owner `o`, the end of the lock `u` (absent once the work is completed), the
// duration of the lock `l` (absent in records of earlier versions) and the value `v` (absent if the result was not
// stored). Redis deletes the key itself. An answer is one string that begins with a word, because Upstash's client parses
// strings that look like JSON.

import { type AnswerOptions, callStore } from "../../backend/call.ts";
import { GRACE_MS } from "../../backend/expiry.ts";
import type { RedisPort } from "../../backend/ports.ts";
import { redisKey } from "../../backend/storeNames.ts";
import { parseAcquireResult, parseForgetResult, parsePeekResult } from "../parseAnswer.ts";
import type { OncePort } from "../port.ts";
import type { AcquireResult, ForgetResult, PeekResult } from "../rule.ts";

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** ARGV: owner, fingerprint, lock, keep. */
const ACQUIRE = `${NOW}
local fingerprint, holder, ends, value, lock = unpack(redis.call('HMGET', KEYS[1], 'f', 'o', 'u', 'v', 'l'))
if fingerprint then
  if fingerprint ~= ARGV[2] then return 'mismatch' end
  if not ends then return value and 'completed ' .. value or 'unstored' end
  ends = tonumber(ends)
  if lock and ends - now > lock + ${GRACE_MS} then
    ends = now + lock
    redis.call('HSET', KEYS[1], 'u', string.format('%.0f', ends))
  end
  if holder ~= ARGV[1] and ends > now then return 'running ' .. string.format('%.0f', ends - now) end
end
redis.call('HSET', KEYS[1], 'f', ARGV[2], 'o', ARGV[1], 'u', string.format('%.0f', now + ARGV[3]), 'l', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 'acquired'
`;

/** ARGV: owner, lock, keep. */
const EXTEND = `${NOW}
local holder, ends = unpack(redis.call('HMGET', KEYS[1], 'o', 'u'))
if holder ~= ARGV[1] or not ends then return 'no' end
redis.call('HSET', KEYS[1], 'u', string.format('%.0f', now + ARGV[2]), 'l', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 'yes'
`;

/** ARGV: owner, keep, and the value if there is one. */
const COMPLETE = `
if redis.call('HGET', KEYS[1], 'o') ~= ARGV[1] then return 'no' end
redis.call('HDEL', KEYS[1], 'u', 'v')
if ARGV[3] then redis.call('HSET', KEYS[1], 'v', ARGV[3]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 'yes'
`;

/** ARGV: owner. */
const RELEASE = `
local holder, ends = unpack(redis.call('HMGET', KEYS[1], 'o', 'u'))
if holder ~= ARGV[1] or not ends then return 'no' end
redis.call('DEL', KEYS[1])
return 'yes'
`;

const PEEK = `${NOW}
local fingerprint, ends, value = unpack(redis.call('HMGET', KEYS[1], 'f', 'u', 'v'))
if not fingerprint then return 'absent' end
if not ends then return value and 'completed ' .. value or 'unstored' end
return 'running ' .. string.format('%.0f', math.max(0, ends - now))
`;

const FORGET = `${NOW}
local fingerprint, ends = unpack(redis.call('HMGET', KEYS[1], 'f', 'u'))
if not fingerprint then return 'absent' end
if ends and ends - now > 0 then return 'running ' .. string.format('%.0f', ends - now) end
redis.call('DEL', KEYS[1])
return 'forgotten'
`;

export function redisOncePort(backend: RedisPort, name: string): OncePort {
  const send = <T>(
    operation: string,
    script: string,
    key: string,
    args: readonly unknown[],
    parse: (answer: unknown) => T | undefined,
    options?: AnswerOptions<T>,
  ) => {
    // The key is in the braces, not the name, so that the keys of one name spread over a cluster. The name comes last
    // and has no braces, so no two keys are written alike.
    const call = () => backend.eval(script, [redisKey(backend, key, `once:${name}`)], args.map(String));
    return callStore(backend, `idempotency: ${operation}`, call, parse, options);
  };
  return {
    acquire: (key, { owner, fingerprint, lockMs, keepMs }, options) =>
      send(
        "acquire",
        ACQUIRE,
        key,
        [owner, fingerprint, lockMs, keepMs],
        parseWith(parseAcquireResult),
        options,
      ),
    extend: (key, { owner, lockMs, keepMs }, options) =>
      send("extend", EXTEND, key, [owner, lockMs, keepMs], parseYesNo, options),
    complete: (key, { owner, keepMs }, value) =>
      send("complete", COMPLETE, key, [owner, keepMs, ...(value === null ? [] : [value])], parseYesNo),
    release: (key, owner, options) => send("release", RELEASE, key, [owner], parseYesNo, options),
    peek: (key) => send("peek", PEEK, key, [], parseWith(parsePeekResult)),
    forget: (key) => send("forget", FORGET, key, [], parseWith(parseForgetResult)),
  };
}

function parseYesNo(answer: unknown): boolean | undefined {
  return answer === "yes" ? true : answer === "no" ? false : undefined;
}

/** Returns a parser of a script's answer: a word, and the rest after a space. */
function parseWith<T extends AcquireResult | PeekResult | ForgetResult>(
  parseResult: (answer: unknown) => T,
): (answer: unknown) => T | undefined {
  return (answer) => {
    if (typeof answer !== "string") return undefined;
    const [, outcome, rest] = /^(\w+)(?: (.*))?$/s.exec(answer) ?? [];
    if (outcome === "unstored") return parseResult({ outcome: "completed", value: null });
    return parseResult({ outcome, waitMs: Number(rest), value: rest });
  };
}
