-- Find a session, use it, and claim the ids of requests that are about to run.
-- ARGV: id, subject, idle ms, age ms, standing stream, cap of claims, a token of
-- this attempt, then the ids. Returns nothing, or the number of the id that was
-- claimed before, or the hash and the subscriptions.
local id, subject, idle_ms, age_ms = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local standing, cap, token = ARGV[5], tonumber(ARGV[6]), ARGV[7]
local session, now = session_key(id), now_ms()
local known = redis.call('HMGET', session, 'subject', 'created')
if known[1] ~= subject then
  return
end
if now - known[2] > age_ms then
  end_session(id, now)
  return
end
local claims, claimed = session_key(id, 'claims'), session_key(id, 'claimed')
for place = 8, #ARGV do
  local before = redis.call('HGET', claims, ARGV[place])
  if before and before ~= token then
    return place - 7
  end
  -- The same id twice in one batch.
  for other = 8, place - 1 do
    if ARGV[other] == ARGV[place] then
      return place - 7
    end
  end
end
for place = 8, #ARGV do
  if redis.call('HSETNX', claims, ARGV[place], token) == 1 then
    redis.call('RPUSH', claimed, ARGV[place])
  end
end
while redis.call('LLEN', claimed) > cap do
  redis.call('HDEL', claims, redis.call('LPOP', claimed))
end
for _, part in ipairs({'streams', 'subscribed', 'claims', 'claimed'}) do
  redis.call('PEXPIRE', session_key(id, part), idle_ms)
end
redis.call('PEXPIRE', session, idle_ms)
redis.call('ZADD', key('caller', subject), now, id)
redis.call('PEXPIRE', key('caller', subject), idle_ms)
redis.call('ZADD', key('sessions'), now, id)
redis.call('PEXPIRE', key('sessions'), idle_ms)
local subscribed = redis.call('SMEMBERS', session_key(id, 'subscribed'))
for _, uri in ipairs(subscribed) do
  redis.call('PEXPIRE', key('subscribed', uri), idle_ms)
end
keep(id, standing, idle_ms)
return {redis.call('HGETALL', session), subscribed}
