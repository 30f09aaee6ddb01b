-- What is open in all processes, as each has shown it last.
local found = {}
for _, process in ipairs(redis.call('ZRANGE', key('open'), 0, -1)) do
  found[#found + 1] = redis.call('GET', key('open', process)) or nil
end
return found
