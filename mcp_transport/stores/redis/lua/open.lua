-- Show what is open in a process. ARGV: process, what it says of it (empty:
-- nothing is open), how many ms it is believed.
local process, said, believed_ms = ARGV[1], ARGV[2], ARGV[3]
local shown, index, now = key('open', process), key('open'), now_ms()
redis.call('ZREMRANGEBYSCORE', index, '-inf', now)
if said == '' then
  redis.call('DEL', shown)
  redis.call('ZREM', index, process)
  return
end
redis.call('SET', shown, said, 'PX', believed_ms)
redis.call('ZADD', index, now + believed_ms, process)
redis.call('PEXPIRE', index, believed_ms)
