-- Only the clocks, and when to look next. ARGV[3], [4]: as [5] and [6] of due.lua. Answers the name of what lies here (adopt.lua).
deferred, longest = tonumber(ARGV[3]), tonumber(ARGV[4])
return answer({ call('HGET', K .. ':m', 'name') })
