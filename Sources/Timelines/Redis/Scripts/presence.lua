-- Who claims from these shards. ARGV[3]: one who does; [4]: milliseconds after which one who was not heard of does so no more. Answers all of them.
-- Only who asks whom first depends on it, so that a full memory is no failure.
call('HDEL', K .. ':m', '')
redis.pcall('ZADD', K .. ':o', text(now), ARGV[3])
call('ZREMRANGEBYSCORE', K .. ':o', '-inf', text(now - ARGV[4]))
return conclude(call('ZRANGE', K .. ':o', 0, -1), 'as before')
