-- How many sessions were used lately. ARGV: after how many ms one is over.
return redis.call('ZCOUNT', key('sessions'), now_ms() - ARGV[1], '+inf')
