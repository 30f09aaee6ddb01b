-- Nothing more will be appended. ARGV: session, stream, epoch, process, for how
-- many ms a stream that ended is kept, how many bytes of those a session keeps.
-- Returns whose reader to wake.
local id, stream, epoch, process = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local state, now = state_key(id, stream), now_ms()
if redis.call('HGET', state, 'epoch') ~= epoch then
  return
end
close_stream(id, stream, now, tonumber(ARGV[5]), tonumber(ARGV[6]))
local reader = reader_of(state, now)
if reader and reader ~= process then
  wake(reader, id, stream)
end
return reader
