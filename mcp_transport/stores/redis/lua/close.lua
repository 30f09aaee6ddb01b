-- Nothing more will be appended. ARGV: session, stream, epoch, process, ttl ms.
-- Returns whose reader to wake.
local id, stream, epoch, process, ttl_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local state, now = state_key(id, stream), now_ms()
if redis.call('HGET', state, 'epoch') ~= epoch then
  return
end
redis.call('HSET', state, 'closed', 1)
keep(id, stream, ttl_ms)
local reader = reader_of(state, now)
if reader and reader ~= process then
  wake(reader, id, stream)
end
return reader
