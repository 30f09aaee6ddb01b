-- Keep what was changed in a session. ARGV: id, idle ms, how many fields and
-- values, how many new subscriptions, then these, then subscriptions that ended.
local id, idle_ms, fields, added = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
if redis.call('EXISTS', session_key(id)) == 0 then
  return
end
if fields > 0 then
  redis.call('HSET', session_key(id), unpack(ARGV, 5, 4 + fields))
end
local subscribed = session_key(id, 'subscribed')
for place = 5 + fields, 4 + fields + added do
  redis.call('SADD', subscribed, ARGV[place])
  local index = key('subscribed', ARGV[place])
  -- Sessions that have expired are dropped here and there.
  for _, other in ipairs(redis.call('SRANDMEMBER', index, 2)) do
    if redis.call('EXISTS', session_key(other)) == 0 then
      redis.call('SREM', index, other)
    end
  end
  redis.call('SADD', index, id)
  redis.call('PEXPIRE', index, idle_ms)
end
for place = 5 + fields + added, #ARGV do
  redis.call('SREM', subscribed, ARGV[place])
  redis.call('SREM', key('subscribed', ARGV[place]), id)
end
redis.call('PEXPIRE', subscribed, idle_ms)
