-- ARGV[3]: format; [4]: number of shards. The first to come says; everybody else must agree. Answers what holds.
call('HSETNX', K .. ':layout', 'format', ARGV[3])
call('HSETNX', K .. ':layout', 'shards', ARGV[4])
local layout = call('HMGET', K .. ':layout', 'format', 'shards')
return conclude({ tonumber(layout[1]), tonumber(layout[2]) }, 'as before')
