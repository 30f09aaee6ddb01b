-- A reader lets go of its stream. ARGV: session, stream, reader.
-- Returns the process of a writer that waited for it.
local state = state_key(ARGV[1], ARGV[2])
if redis.call('HGET', state, 'reader') ~= ARGV[3] then
  return
end
redis.call('HDEL', state, 'reader', 'process', 'read_until')
local blocked = redis.call('HGET', state, 'blocked')
if blocked then
  redis.call('HDEL', state, 'blocked')
  wake(blocked, ARGV[1], ARGV[2])
end
return blocked
