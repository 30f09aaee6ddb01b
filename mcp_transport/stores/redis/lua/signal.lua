-- Tell all processes something. ARGV: a token of this signal, the process that
-- tells it, what it says, how many ms it is kept, and 1 if it is a change of the
-- catalogue, which is numbered. Returns its number.
local token, process, said, keep_ms, is_change = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local sent = key('sent', token)
local before = redis.call('GET', sent)
if before then
  return tonumber(before)
end
local number = 0
if is_change == '1' then
  number = redis.call('HINCRBY', key('changes'), 'number', 1)
end
redis.call('SET', sent, number, 'PX', keep_ms)
redis.call('XADD', key('signals'), 'MINID', '~', now_ms() - keep_ms, '*',
  'process', process, 'number', number, 'said', said)
return number
