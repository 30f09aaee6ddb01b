-- A process shows that it lives, and takes what there is for it. ARGV: process,
-- after how many ms of silence one counts as dead, after how many it is
-- forgotten, where it is in the signals (empty: at the end), most signals.
-- Returns the end of the signals, the streams to look at, the processes that are
-- silent, and the signals.
local process, dead_ms, forget_ms = ARGV[1], ARGV[2], ARGV[3]
local cursor, most = ARGV[4], ARGV[5]
local processes, signals, now = key('processes'), key('signals'), now_ms()
redis.call('ZADD', processes, now, process)
redis.call('ZREMRANGEBYSCORE', processes, '-inf', now - forget_ms)
local silent = redis.call('ZRANGEBYSCORE', processes, '-inf', now - dead_ms)
local dirty = redis.call('SMEMBERS', key('dirty', process))
redis.call('DEL', key('dirty', process))
if cursor == '' then
  local newest = redis.call('XREVRANGE', signals, '+', '-', 'COUNT', 1)[1]
  return {newest and newest[1] or '0-0', dirty, silent, {}}
end
local said = {}
for _, entry in ipairs(redis.call('XRANGE', signals, '(' .. cursor, '+', 'COUNT', most)) do
  cursor = entry[1]
  said[#said + 1] = {entry[2][2], entry[2][4]}
end
return {cursor, dirty, silent, said}
