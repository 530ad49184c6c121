-- ARGV[3...]: digests of recipient and merge key. 1: a push waits to be joined.
local outcomes = {}
for i = 3, #ARGV do outcomes[i - 2] = call('HEXISTS', K .. ':g', ARGV[i]) end
return conclude(outcomes, 'as before')
