-- Answer with an error what a process that died was to answer on a stream.
-- ARGV: session, stream, what stands before and behind the id in the error, max
-- events, max bytes, for how many ms a stream that ended is kept, how many bytes of
-- those a session keeps, then the processes that died. Returns whose reader to wake.
local id, stream, before_id, after_id = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local max_events, max_bytes = tonumber(ARGV[5]), tonumber(ARGV[6])
local state, now = state_key(id, stream), now_ms()
local dead = {}
for place = 9, #ARGV do
  dead[ARGV[place]] = true
end
local buried, open, left = 0, 0, false
local fields = redis.call('HGETALL', state)
for place = 1, #fields, 2 do
  local request_id = string.match(fields[place], '^awaited (.*)$')
  if request_id and dead[fields[place + 1]] then
    append(id, stream, before_id .. request_id .. after_id, max_events, max_bytes)
    redis.call('HDEL', state, fields[place])
    buried = buried + 1
  elseif request_id then
    open = open + 1
  end
  -- One that died behind its last message has not closed the stream.
  local writer = string.match(fields[place], '^written (.*)$')
  left = left or (writer and dead[writer])
end
-- On the standing stream other processes go on; another one has one writer.
local closes = (buried > 0 or left) and open == 0 and stream ~= '0'
if buried == 0 and not closes then
  return
end
if closes then
  close_stream(id, stream, now, tonumber(ARGV[7]), tonumber(ARGV[8]))
end
return wake_reader(id, stream, now)
