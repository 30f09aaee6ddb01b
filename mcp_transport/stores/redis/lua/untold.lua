-- Return the changes that were not told to all sessions yet: number and change.
local told = redis.call('HGET', key('changes'), 'told') or 0
local untold = {}
for _, entry in ipairs(redis.call('XRANGE', key('changes', 'log'), '(0-' .. told, '+')) do
  untold[#untold + 1] = {tonumber(string.match(entry[1], '%d+$')), entry[2][2]}
end
return untold
