-- Open a stream to write to it. ARGV: session, stream, epoch if it is new, ttl
-- ms, process, then the ids of requests whose responses will come from there.
-- Returns the epoch, and how many messages this process has appended; nothing
-- when the session is over.
local id, stream, epoch, ttl_ms, process = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if redis.call('EXISTS', session_key(id)) == 0 then
  return
end
local state = state_key(id, stream)
epoch = open_stream(id, stream, epoch, ttl_ms)
for place = 6, #ARGV do
  redis.call('HSET', state, 'awaited ' .. ARGV[place], process)
end
return {epoch, tonumber(redis.call('HGET', state, 'written ' .. process) or 0)}
