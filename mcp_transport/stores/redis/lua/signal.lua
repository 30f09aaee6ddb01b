-- Tell all processes something. ARGV: a token of this signal, the process that
-- tells it, what it says, how many ms it is kept, and 1 if it is a change of the
-- catalogue: these are numbered, and kept until all sessions were told.
local token, process, said, keep_ms, is_change = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local sent = key('sent', token)
if redis.call('EXISTS', sent) == 1 then
  return
end
redis.call('SET', sent, 1, 'PX', keep_ms)
if is_change == '1' then
  local number = redis.call('HINCRBY', key('changes'), 'number', 1)
  redis.call('XADD', key('changes', 'log'), '0-' .. number, 'said', said)
end
redis.call('XADD', key('signals'), 'MINID', '~', now_ms() - keep_ms, '*',
  'process', process, 'said', said)
