-- The sessions that were used last. ARGV: most, idle ms, age ms. Returns how many
-- there are and, of each that is shown: id, when it was used and when it began
-- (in ms), subject, door, token, client, revision.
local most, since, now = ARGV[1], now_ms() - ARGV[2], now_ms()
local index, age_ms, found = key('sessions'), tonumber(ARGV[3]), {}
local used = redis.call('ZREVRANGEBYSCORE', index, '+inf', since,
  'WITHSCORES', 'LIMIT', 0, most)
for place = 1, #used, 2 do
  local known = redis.call('HMGET', session_key(used[place]),
    'created', 'subject', 'door', 'token', 'client', 'revision')
  if known[1] and now - known[1] <= age_ms then
    for field = 2, #known do
      known[field] = known[field] or ''
    end
    found[#found + 1] = {used[place], used[place + 1], unpack(known)}
  end
end
return {redis.call('ZCOUNT', index, since, '+inf'), found}
