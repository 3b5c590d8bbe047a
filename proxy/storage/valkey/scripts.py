"""What Valkey does in one step each, in its own language: nothing else can come between.

Each shard has a clock (a hash): `p` is its sequence number, which every invalidation in it raises; `f` the
number below which nothing in it may be used; `b` that below which nothing is stored any more; `s` the time of
the last soft purge of all, and its number; `t…` the numbers at which single keys were invalidated. Numbers
begin at, and never stay behind, the server's time in microseconds: a clock that was lost is not taken for an
older one.

An index (a hash) has the entries under one key: `k` the key, `s` those of its last soft purge, `h…` the
record of each entry and `c…` its first piece. A label (a hash) has `g`, the number below which nothing that
carries it may be used, and `s`. Where it is missing nothing that carries it may be used either.

A script answers with the shard's sequence number at `place`. A message of a change is that number,
a space and what it says; 0 where the number stays.
"""

from __future__ import annotations

from hashlib import sha1

GRACE = 60_000
"""Milliseconds for which the content of an entry that was removed stays for those who are reading it."""

MARK = 3_600_000
"""Milliseconds for which a soft purge of a key is remembered that nothing is stored under."""

_TOMBS = 256

_COMMON = """
local function text(n) return string.format('%.0f', n) end
local function time() local t = redis.call('TIME'); return t[1] * 1000000 + t[2] end
local function state(clock)
  local v = redis.call('HMGET', clock, 'p', 'b')
  if v[1] then return tonumber(v[1]), tonumber(v[2]) end
  local now = text(time())
  redis.call('HSET', clock, 'p', now, 'f', now, 'b', now)
  return tonumber(now), tonumber(now)
end
local function tick(clock, least)
  local p = math.max(state(clock) + 1, time(), least or 0)
  redis.call('HSET', clock, 'p', text(p))
  return p
end
local function ids(index)
  local found = {}
  for _, name in ipairs(redis.call('HKEYS', index)) do
    if string.sub(name, 1, 1) == 'h' then found[#found + 1] = string.sub(name, 2) end
  end
  table.sort(found)
  return found
end
local function drop(index, body, id, removed)
  local record = redis.call('HGET', index, 'h' .. id)
  if not record then return end
  redis.call('HDEL', index, 'h' .. id, 'c' .. id)
  redis.call('PEXPIRE', body .. id, GRACE)
  removed[#removed + 1] = id
  removed[#removed + 1] = record
end
local function keep(name, lifetime, fresh)
  if lifetime == '' then redis.call('PERSIST', name) return end
  local left = redis.call('PTTL', name)
  if fresh or (left >= 0 and left < tonumber(lifetime)) then redis.call('PEXPIRE', name, lifetime) end
end
""".replace("GRACE", str(GRACE))


class Script:
    """One of them: `text`, and `sha`, by which a server knows it that was told it before.

    `place` is that of the sequence number in its answer; None where the answer has none.
    """

    __slots__ = ("place", "sha", "text")

    def __init__(self, text: str, flags: str = "", place: int | None = 0) -> None:
        self.place = place
        self.text = (f"#!lua flags={flags}\n" if flags else "#!lua\n") + _COMMON + text
        self.sha = sha1(self.text.encode(), usedforsecurity=False).hexdigest().encode()


CLOCK = Script(
    # KEYS clock. -> p
    "return {text((state(KEYS[1])))}",
    "allow-oom",
)

LOOK_UP = Script(
    # KEYS clock, index. ARGV bytes of first pieces at most, body.
    # -> p, f, s, k, s of the key, (id, record, piece)…
    """
local out = redis.call('HMGET', KEYS[1], 'p', 'f', 's')
local found = ids(KEYS[2])
if #found == 0 then return out end
local key = redis.call('HMGET', KEYS[2], 'k', 's')
out[4], out[5] = key[1], key[2]
local room = tonumber(ARGV[1])
for n = #found, 1, -1 do
  local id = found[n]
  local record = redis.call('HGET', KEYS[2], 'h' .. id)
  local pieces = tonumber(string.sub(record, 33, 40))
  if pieces and (pieces < 2 or redis.call('HLEN', ARGV[2] .. id) == pieces - 1) then
    local size = redis.call('HSTRLEN', KEYS[2], 'c' .. id)
    local piece = false
    if size <= room then
      piece = redis.call('HGET', KEYS[2], 'c' .. id)
      room = room - size
    end
    out[#out + 1] = id
    out[#out + 1] = record
    out[#out + 1] = piece
  end
end
return out
""",
    "no-writes",
)

COMMIT = Script(
    # KEYS clock, index. ARGV born, id, record, first piece, key, lifetime, variants, pieces, body,
    # digest of the key, channel, message, now in milliseconds, ids that it replaces…
    # -> kept or not, p, (id, record) that left…
    """
local p, barrier = state(KEYS[1])
local born, id, index, body = tonumber(ARGV[1]), ARGV[2], KEYS[2], ARGV[9]
local tomb = redis.call('HGET', KEYS[1], 't' .. ARGV[10])
local pieces = tonumber(ARGV[8])
if born < barrier or (tomb and born < tonumber(tomb)) then return {0, text(p)} end
if pieces > 1 and redis.call('HLEN', body .. id) ~= pieces - 1 then return {0, text(p)} end
local out = {1, text(p)}
for n = 14, #ARGV do drop(index, body, ARGV[n], out) end
local others, now = {}, tonumber(ARGV[13])
for _, other in ipairs(ids(index)) do
  local expires = tonumber(string.sub(redis.call('HGET', index, 'h' .. other), 17, 32))
  if expires and expires > 0 and expires < now then drop(index, body, other, out)
  elseif other ~= id then others[#others + 1] = other end
end
for n = 1, #others - tonumber(ARGV[7]) + 1 do drop(index, body, others[n], out) end
local fresh = redis.call('EXISTS', index) == 0
redis.call('HSET', index, 'k', ARGV[5], 'h' .. id, ARGV[3], 'c' .. id, ARGV[4])
keep(index, ARGV[6], fresh)
if pieces > 1 then keep(body .. id, ARGV[6], true) end
if #out > 2 or #others > 0 then redis.call('SPUBLISH', ARGV[11], '0 ' .. ARGV[12]) end
return out
""",
    place=1,
)

FRESHEN = Script(
    # KEYS clock, index. ARGV id, record, lifetime, body, channel, message. -> done or not, p
    """
local p = text((state(KEYS[1])))
if redis.call('HEXISTS', KEYS[2], 'h' .. ARGV[1]) == 0 then return {0, p} end
redis.call('HSET', KEYS[2], 'h' .. ARGV[1], ARGV[2])
keep(KEYS[2], ARGV[3], false)
if redis.call('EXISTS', ARGV[4] .. ARGV[1]) == 1 then keep(ARGV[4] .. ARGV[1], ARGV[3], true) end
redis.call('SPUBLISH', ARGV[5], '0 ' .. ARGV[6])
return {1, p}
""",
    place=1,
)

REMOVE = Script(
    # KEYS clock, index. ARGV body, channel, message, ids… -> p, (id, record) that left…
    """
local out = {text((state(KEYS[1])))}
for n = 4, #ARGV do drop(KEYS[2], ARGV[1], ARGV[n], out) end
if #out > 1 then
  if #ids(KEYS[2]) == 0 then redis.call('DEL', KEYS[2]) end
  if ARGV[3] ~= '' then redis.call('SPUBLISH', ARGV[2], '0 ' .. ARGV[3]) end
end
return out
""",
    "allow-oom",
)

PURGE_KEY = Script(
    # KEYS clock, index. ARGV digest of the key, body, channel, message, time of a soft purge or ''.
    # -> p, (id, record)…
    """
local clock, index = KEYS[1], KEYS[2]
local p = tick(clock)
local out = {text(p)}
if ARGV[5] ~= '' then
  for _, id in ipairs(ids(index)) do
    out[#out + 1] = id
    out[#out + 1] = redis.call('HGET', index, 'h' .. id)
  end
  local fresh = redis.call('EXISTS', index) == 0
  redis.call('HSET', index, 's', ARGV[5] .. ' ' .. text(p))
  if fresh then redis.call('PEXPIRE', index, MARK) end
else
  if redis.call('HLEN', clock) > TOMBS then
    for _, name in ipairs(redis.call('HKEYS', clock)) do
      if string.sub(name, 1, 1) == 't' then redis.call('HDEL', clock, name) end
    end
    redis.call('HSET', clock, 'b', text(p))
  end
  redis.call('HSET', clock, 't' .. ARGV[1], text(p))
  for _, id in ipairs(ids(index)) do drop(index, ARGV[2], id, out) end
  redis.call('DEL', index)
end
redis.call('SPUBLISH', ARGV[3], text(p) .. ' ' .. ARGV[4])
return out
""".replace("MARK", str(MARK)).replace("TOMBS", str(_TOMBS)),
    "allow-oom",
)

ADD_TO_LABEL = Script(
    # KEYS clock, label, members. ARGV born, member, score, lifetime, members that left…
    # -> kept or not, p, any members…
    """
local p = state(KEYS[1])
local born, g = tonumber(ARGV[1]), redis.call('HGET', KEYS[2], 'g')
for n = 5, #ARGV do redis.call('ZREM', KEYS[3], ARGV[n]) end
if born < (g and tonumber(g) or p) then return {0, text(p)} end
if not g then redis.call('HSET', KEYS[2], 'g', text(p)) end
local fresh = redis.call('EXISTS', KEYS[3]) == 0
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[2])
keep(KEYS[2], ARGV[4], not g)
keep(KEYS[3], ARGV[4], fresh)
local out = {1, text(p)}
for _, member in ipairs(redis.call('ZRANDMEMBER', KEYS[3], 3)) do out[#out + 1] = member end
return out
""",
    place=1,
)

PURGE_LABEL = Script(
    # KEYS clock, label, members. ARGV channel, message, time of a soft purge or '', most members to be given.
    # -> p, number of members, members where they are that few…
    """
local before = state(KEYS[1])
local p = tick(KEYS[1])
local count = redis.call('ZCARD', KEYS[3])
local out = {text(p), count}
if count <= tonumber(ARGV[4]) then
  for _, member in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do out[#out + 1] = member end
end
if ARGV[3] ~= '' then
  if redis.call('HSETNX', KEYS[2], 'g', text(before)) == 1 then redis.call('PEXPIRE', KEYS[2], MARK) end
  redis.call('HSET', KEYS[2], 's', ARGV[3] .. ' ' .. text(p))
else
  redis.call('UNLINK', KEYS[2], KEYS[3])
end
redis.call('SPUBLISH', ARGV[1], text(p) .. ' ' .. ARGV[2])
return out
""".replace("MARK", str(MARK)),
    "allow-oom",
)

PURGE_SHARD = Script(
    # KEYS clock. ARGV channel, message, what of (all, commits, soft),
    # time of a soft purge or '', the least p. -> p
    """
local p = text(tick(KEYS[1], tonumber(ARGV[5])))
if ARGV[3] == 'soft' then redis.call('HSET', KEYS[1], 's', ARGV[4] .. ' ' .. p) end
if ARGV[3] == 'all' then redis.call('HSET', KEYS[1], 'f', p) end
redis.call('HSET', KEYS[1], 'b', p)
redis.call('SPUBLISH', ARGV[1], p .. ' ' .. ARGV[2])
return {p}
""",
    "allow-oom",
)

TELL = Script(
    # KEYS clock. ARGV channel, message. -> p: once more for those who looked meanwhile
    "redis.call('SPUBLISH', ARGV[1], '0 ' .. ARGV[2]); return {text((state(KEYS[1])))}",
    "allow-oom",
)

RENEW = Script(
    # KEYS claim. ARGV who, lease in milliseconds. -> renewed or not
    """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
""",
    "allow-oom",
    place=None,
)

RELEASE = Script(
    # KEYS claim. ARGV who, channel, message. -> released or not
    """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('SPUBLISH', ARGV[2], '0 ' .. ARGV[3])
return 1
""",
    "allow-oom",
    place=None,
)

ALL = (
    CLOCK, LOOK_UP, COMMIT, FRESHEN, REMOVE, PURGE_KEY, ADD_TO_LABEL, PURGE_LABEL, PURGE_SHARD, TELL,
    RENEW, RELEASE,
)  # fmt: skip

RAISING = frozenset({PURGE_KEY, PURGE_LABEL, PURGE_SHARD})
"""Those that raise the sequence number."""
