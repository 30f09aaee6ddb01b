-- The sessions that an index holds. ARGV: its name.
if ARGV[1] == 'sessions' then
  return redis.call('ZRANGE', key('sessions'), 0, -1)
end
return redis.call('SMEMBERS', key(ARGV[1]))
