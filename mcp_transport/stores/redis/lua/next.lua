-- What a reader has not read yet. ARGV: session, stream, epoch, reader, number of
-- the last event that it delivered, lease ms, most events at once.
-- Returns whether there comes no more, the process of a writer that waited for
-- this, and the events; nothing when the reader has lost the stream.
local id, stream, epoch, reader = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local after, lease_ms, most = tonumber(ARGV[5]), ARGV[6], ARGV[7]
local state, log, now = state_key(id, stream), log_key(id, stream), now_ms()
local known = redis.call('HMGET', state, 'epoch', 'reader', 'last', 'closed', 'delivered', 'blocked')
if known[1] ~= epoch or known[2] ~= reader then
  return
end
if after < tonumber(known[3]) - redis.call('XLEN', log) then
  return
end
redis.call('HSET', state, 'read_until', now + lease_ms)
local blocked = false
if after > tonumber(known[5]) then
  redis.call('HSET', state, 'delivered', after)
  blocked = known[6]
  if blocked then
    redis.call('HDEL', state, 'blocked')
    wake(blocked, id, stream)
  end
end
local messages = {}
local entries = redis.call('XRANGE', log, '0-' .. (after + 1), '+', 'COUNT', most)
for place, entry in ipairs(entries) do
  messages[place] = entry[2][2]
end
local over = known[4] and after + #messages == tonumber(known[3])
return {over and 1 or 0, blocked, messages}
