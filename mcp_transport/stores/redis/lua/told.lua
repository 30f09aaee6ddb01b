-- Note that a change was told to all sessions. ARGV: its number.
local changes, number = key('changes'), tonumber(ARGV[1])
if number > tonumber(redis.call('HGET', changes, 'told') or 0) then
  redis.call('HSET', changes, 'told', number)
  redis.call('XTRIM', key('changes', 'log'), 'MINID', '0-' .. (number + 1))
end
