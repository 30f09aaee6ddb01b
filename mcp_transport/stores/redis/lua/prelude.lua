-- In front of every script. KEYS[1] is the prefix of all our keys.
--
-- Every script does the same when it is run again with the same arguments: a
-- client that lost the reply sends it again.

local prefix = KEYS[1]

local function key(...)
  return table.concat({prefix, ...}, ':')
end

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- A session is a hash, and beside it: the resources that it subscribed to, the
-- ids of requests that it claimed (with their order), the names of its streams.
local function session_key(id, part)
  if part then
    return key('session', id, part)
  end
  return key('session', id)
end

-- A stream is a hash of what is known of it, and the log of its events.
local function state_key(id, stream)
  return key('session', id, 'state', stream)
end

local function log_key(id, stream)
  return key('session', id, 'log', stream)
end

-- What a process has to look at: it takes these names at its next pulse.
local function wake(process, id, stream)
  redis.call('SADD', key('dirty', process), id .. ' ' .. stream)
  redis.call('PEXPIRE', key('dirty', process), 60000)
end

-- The process of a stream's reader, as long as the reader shows itself.
local function reader_of(state, now)
  local held = redis.call('HMGET', state, 'reader', 'process', 'read_until')
  if held[1] and tonumber(held[3]) > now then
    return held[2]
  end
  return false
end

local function wake_reader(id, stream, now)
  local process = reader_of(state_key(id, stream), now)
  if process then
    wake(process, id, stream)
  end
  return process
end

local function keep(id, stream, ttl_ms)
  redis.call('PEXPIRE', state_key(id, stream), ttl_ms)
  redis.call('PEXPIRE', log_key(id, stream), ttl_ms)
end

local function forget(id, stream)
  redis.call('DEL', state_key(id, stream), log_key(id, stream))
end

-- What a stream costs besides its events.
local STREAM_BYTES = 1024

-- Nothing more is appended to a stream. It is kept for a while, as are those that
-- ended before, oldest first out, within so many bytes; but one that is read stays.
local function close_stream(id, stream, now, age_ms, max_bytes)
  local state = state_key(id, stream)
  if redis.call('HSETNX', state, 'closed', 1) == 0 then
    return
  end
  keep(id, stream, age_ms)
  local closed, total = session_key(id, 'closed'), session_key(id, 'closed_bytes')
  local bytes = STREAM_BYTES + tonumber(redis.call('HGET', state, 'bytes'))
  local held = redis.call('INCRBY', total, bytes)
  -- A few more than can be read at a time: each that ends makes room for itself.
  local oldest = redis.call('ZRANGE', closed, 0, 63, 'WITHSCORES')
  for place = 1, #oldest, 2 do
    local cost, name = string.match(oldest[place], '^(%d+) (.*)$')
    local expired = tonumber(oldest[place + 1]) < now - age_ms
    if not expired and held <= max_bytes then
      break
    end
    if expired or not reader_of(state_key(id, name), now) then
      held = redis.call('DECRBY', total, cost)
      redis.call('ZREM', closed, oldest[place])
      if not expired then
        forget(id, name)
        redis.call('SREM', session_key(id, 'streams'), name)
      end
    end
  end
  redis.call('ZADD', closed, now, bytes .. ' ' .. stream)
  redis.call('PEXPIRE', closed, age_ms)
  redis.call('PEXPIRE', total, age_ms)
end

-- End a session: all of it goes, and whoever reads its streams is woken.
local function end_session(id, now)
  for _, stream in ipairs(redis.call('SMEMBERS', session_key(id, 'streams'))) do
    wake_reader(id, stream, now)
    forget(id, stream)
  end
  for _, uri in ipairs(redis.call('SMEMBERS', session_key(id, 'subscribed'))) do
    redis.call('SREM', key('subscribed', uri), id)
  end
  local subject = redis.call('HGET', session_key(id), 'subject')
  if subject then
    redis.call('ZREM', key('caller', subject), id)
  end
  redis.call('ZREM', key('sessions'), id)
  redis.call('DEL', session_key(id), session_key(id, 'streams'),
    session_key(id, 'subscribed'), session_key(id, 'claims'),
    session_key(id, 'claimed'), session_key(id, 'closed'),
    session_key(id, 'closed_bytes'))
end

-- Make a stream, unless it is there; return its epoch.
local function open_stream(id, stream, epoch, ttl_ms)
  local state = state_key(id, stream)
  local known = redis.call('HGET', state, 'epoch')
  if known then
    return known
  end
  redis.call('HSET', state, 'epoch', epoch, 'last', 0, 'bytes', 0, 'delivered', 0)
  -- Names of streams that have expired are dropped here and there.
  local streams = session_key(id, 'streams')
  for _, old in ipairs(redis.call('SRANDMEMBER', streams, 2)) do
    if redis.call('EXISTS', state_key(id, old)) == 0 then
      redis.call('SREM', streams, old)
    end
  end
  redis.call('SADD', streams, stream)
  redis.call('PEXPIRE', streams, ttl_ms)
  keep(id, stream, ttl_ms)
  return epoch
end

-- How many of the oldest events have to go for one more of so many bytes. The
-- newest is kept, however large: it was not delivered yet.
local function excess(id, stream, bytes, max_events, max_bytes)
  local log = log_key(id, stream)
  local events = redis.call('XLEN', log) + 1
  local held = tonumber(redis.call('HGET', state_key(id, stream), 'bytes')) + bytes
  if events <= max_events and held <= max_bytes then
    return 0, held
  end
  local gone = 0
  for _, entry in ipairs(redis.call('XRANGE', log, '-', '+')) do
    if events - gone <= max_events and held <= max_bytes then
      break
    end
    gone = gone + 1
    held = held - #entry[2][2]
  end
  return gone, held
end

-- Append one message; what does not fit any more goes.
local function append(id, stream, message, max_events, max_bytes)
  local state, log = state_key(id, stream), log_key(id, stream)
  local gone, held = excess(id, stream, #message, max_events, max_bytes)
  if gone > 0 then
    redis.call('XTRIM', log, 'MAXLEN', redis.call('XLEN', log) - gone)
  end
  local last = redis.call('HINCRBY', state, 'last', 1)
  redis.call('XADD', log, '0-' .. last, 'd', message)
  redis.call('HSET', state, 'bytes', held)
end
