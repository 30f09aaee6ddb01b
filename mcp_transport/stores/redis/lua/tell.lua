-- Say a change on the standing streams of sessions. ARGV: number of the change,
-- the message, stream, epoch if a stream is new, ttl ms, max events, max bytes,
-- the phase of those who may hear, the index that the sessions were found in,
-- then the sessions. Returns the processes whose readers to wake.
local number, message, stream, epoch = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local ttl_ms, max_events, max_bytes = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
local phase, index, now = ARGV[8], ARGV[9], now_ms()
local processes = {}
for place = 10, #ARGV do
  local id = ARGV[place]
  local found = redis.call('HGET', session_key(id), 'phase')
  if not found then
    redis.call(index == 'sessions' and 'ZREM' or 'SREM', key(index), id)
  elseif found == phase then
    local state = state_key(id, stream)
    open_stream(id, stream, epoch, ttl_ms)
    if tonumber(redis.call('HGET', state, 'told') or 0) < number then
      append(id, stream, message, max_events, max_bytes)
      redis.call('HSET', state, 'told', number)
      local process = wake_reader(id, stream, now)
      if process then
        processes[process] = true
      end
    end
  end
end
local woken = {}
for process in pairs(processes) do
  woken[#woken + 1] = process
end
return woken
