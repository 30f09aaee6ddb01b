-- Note that a change was told to all sessions; or, with an empty number, return
-- the highest that was. ARGV: number.
local changes = key('changes')
local told = tonumber(redis.call('HGET', changes, 'told') or 0)
if ARGV[1] ~= '' and tonumber(ARGV[1]) > told then
  redis.call('HSET', changes, 'told', ARGV[1])
end
return told
