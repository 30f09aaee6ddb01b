-- Keep a new session; at its caller's cap the one idle longest makes room.
-- ARGV: id, subject, cap, idle ms, then the fields of the hash and their values.
local id, subject, cap, idle_ms = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local session, now = session_key(id), now_ms()
if redis.call('EXISTS', session) == 1 then
  return
end
local own = key('caller', subject)
redis.call('ZREMRANGEBYSCORE', own, '-inf', now - idle_ms)
redis.call('ZREMRANGEBYSCORE', key('sessions'), '-inf', now - idle_ms)
while redis.call('ZCARD', own) >= cap do
  local oldest = redis.call('ZRANGE', own, 0, 0)[1]
  end_session(oldest, now)
  redis.call('ZREM', own, oldest)
end
redis.call('HSET', session, 'subject', subject, 'created', now, unpack(ARGV, 5))
redis.call('PEXPIRE', session, idle_ms)
redis.call('ZADD', own, now, id)
redis.call('PEXPIRE', own, idle_ms)
redis.call('ZADD', key('sessions'), now, id)
redis.call('PEXPIRE', key('sessions'), idle_ms)
