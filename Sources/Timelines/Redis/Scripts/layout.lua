-- ARGV[3]: format; [4]: number of shards; [5]: whose records the pushes belong to from now on, or nothing. The first to come says; everybody else must agree. Answers what holds.
local LAYOUT = K .. ':layout'
call('HDEL', K .. ':m', '')
call('HSETNX', LAYOUT, 'format', ARGV[3])
call('HSETNX', LAYOUT, 'shards', ARGV[4])
local layout = call('HMGET', LAYOUT, 'format', 'shards')
-- Whoever is refused for anything else says nothing.
if ARGV[5] ~= '' and layout[1] == ARGV[3] and layout[2] == ARGV[4] then call('HSETNX', LAYOUT, 'records', ARGV[5]) end
return conclude({ tonumber(layout[1]), tonumber(layout[2]), call('HGET', LAYOUT, 'records') }, 'as before')
