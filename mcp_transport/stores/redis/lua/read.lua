-- Take a stream over, to read on. ARGV: session, stream, epoch and number of the
-- place to go on behind (empty: what was delivered last), epoch if the stream is
-- new (empty: it must be there), ttl ms, reader, process, lease ms.
-- Returns epoch, number, and the process that the stream was taken from; nothing
-- when it cannot be read from there.
local id, stream, epoch, number = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local new_epoch, ttl_ms, reader, process, lease_ms = ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local state, now = state_key(id, stream), now_ms()
if redis.call('EXISTS', session_key(id)) == 0 then
  return
end
if new_epoch ~= '' then
  open_stream(id, stream, new_epoch, ttl_ms)
end
local known = redis.call('HMGET', state, 'epoch', 'last', 'delivered')
if not known[1] or (epoch ~= '' and known[1] ~= epoch) then
  return
end
local last = tonumber(known[2])
number = number or tonumber(known[3])
if number > last or number < last - redis.call('XLEN', log_key(id, stream)) then
  return
end
local other = wake_reader(id, stream, now)
redis.call('HSET', state, 'reader', reader, 'process', process,
  'read_until', now + lease_ms, 'delivered', number)
local blocked = redis.call('HGET', state, 'blocked')
if blocked then
  redis.call('HDEL', state, 'blocked')
  wake(blocked, id, stream)
end
return {known[1], number, other, blocked}
