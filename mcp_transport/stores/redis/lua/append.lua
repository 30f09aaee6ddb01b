-- Append messages. ARGV: session, stream, epoch, process, how many messages the
-- process had appended before these, max events, max bytes, ttl ms, how many ids
-- are settled, these, then the messages.
-- Returns how many of its messages the stream has, and whose reader to wake;
-- fewer than all when a reader would lose what it has not read yet; nothing when
-- the stream is over.
local id, stream, epoch, process = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local before, max_events, max_bytes = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local ttl_ms, settled = ARGV[8], tonumber(ARGV[9])
local state, now = state_key(id, stream), now_ms()
local known = redis.call('HMGET', state, 'epoch', 'closed', 'written ' .. process)
if known[1] ~= epoch or known[2] then
  return
end
local written = tonumber(known[3] or 0)
if written < before then
  -- The log has lost what it had taken: nobody may read across that.
  wake_reader(id, stream, now)
  forget(id, stream)
  return
end
local reader = reader_of(state, now)
local first = 10 + settled
for place = first + written - before, #ARGV do
  local message = ARGV[place]
  if reader then
    local last = tonumber(redis.call('HGET', state, 'last'))
    local oldest = last - redis.call('XLEN', log_key(id, stream)) + 1
    local gone = excess(id, stream, #message, max_events, max_bytes)
    if gone > 0 and oldest + gone > tonumber(redis.call('HGET', state, 'delivered')) + 1 then
      redis.call('HSET', state, 'blocked', process)
      break
    end
  end
  append(id, stream, message, max_events, max_bytes)
  written = redis.call('HINCRBY', state, 'written ' .. process, 1)
end
if written - before >= #ARGV - first + 1 then
  for place = 10, 9 + settled do
    redis.call('HDEL', state, 'awaited ' .. ARGV[place])
  end
end
keep(id, stream, ttl_ms)
if reader and reader ~= process then
  wake(reader, id, stream)
end
return {written, reader}
