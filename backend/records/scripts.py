"""The steps of the shared records, as scripts that Valkey runs wholly or not at all.

Each ends with what it says first: "done" and what the request gave, now or when it happened before,
"changed" where a cart no longer has the version that was seen, "reused" where a key stands for other
content, "in-progress" where its request has begun and not ended. A key's hash holds the digest of the
request's content (f) and what it gave (r).
"""

from __future__ import annotations

_KEYS = """
local function earlier(key, digest)
  if digest == '' then return nil end
  local kept = redis.call('HMGET', key, 'f', 'r')
  if not kept[2] then return nil end
  if kept[1] ~= digest then return {'reused'} end
  return {'done', kept[2]}
end
local function keep(key, digest, result, lifetime)
  if digest == '' then return end
  redis.call('HSET', key, 'f', digest, 'r', result)
  if lifetime == '' then redis.call('PERSIST', key) else redis.call('PEXPIRE', key, lifetime) end
end
"""

BEGIN = """
local digest, result = unpack(redis.call('HMGET', KEYS[1], 'f', 'r'))
if not digest then
  redis.call('HSET', KEYS[1], 'f', ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return {'begun'}
end
if digest ~= ARGV[1] then return {'reused'} end
if result then return {'done', result} end
return {'in-progress'}
"""
"""KEYS: key. ARGV: digest, milliseconds of the lease."""

GIVE_UP = "if redis.call('HEXISTS', KEYS[1], 'r') == 0 then redis.call('DEL', KEYS[1]) end"
"""KEYS: key."""

WRITE_CART = (
    _KEYS
    + """
local before = earlier(KEYS[2], ARGV[5])
if before then return before end
if ARGV[1] ~= '' and redis.call('HGET', KEYS[1], 'v') ~= ARGV[1] then return {'changed'} end
redis.call('HSET', KEYS[1], 'v', ARGV[2], 'l', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
keep(KEYS[2], ARGV[5], ARGV[6], ARGV[4])
return {'done', ARGV[6]}
"""
)
"""KEYS: cart, key. ARGV: version seen or none, new version, lines, milliseconds to keep it, digest or none,
what the request gives."""

DROP_CART = """
if redis.call('HGET', KEYS[1], 'v') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""
"""KEYS: cart. ARGV: version seen."""

PLACE = (
    _KEYS
    + """
local before = earlier(KEYS[4], ARGV[3])
if before then return before end
if redis.call('EXISTS', KEYS[1]) == 1 then return {'done', redis.call('GET', KEYS[1])} end
if ARGV[4] ~= '' then
  if redis.call('HGET', KEYS[5], 'v') ~= ARGV[4] then return {'changed'} end
  redis.call('HINCRBY', KEYS[5], 'v', 1)
  redis.call('HSET', KEYS[5], 'l', '[]')
  redis.call('PEXPIRE', KEYS[5], ARGV[5])
end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('LPUSH', KEYS[2], ARGV[2])
redis.call('RPUSH', KEYS[3], ARGV[2])
keep(KEYS[4], ARGV[3], ARGV[1], '')
return {'done', ARGV[1]}
"""
)
"""KEYS: order, the account's orders, all orders, key, cart. ARGV: the order, its name, digest or none, the
cart's version seen or none, milliseconds to keep the cart."""
