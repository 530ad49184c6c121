-- ARGV[3...]: digests.
call('HDEL', K .. ':m', '')
local outcomes = {}
for i = 3, #ARGV do
    outcomes[i - 2] = cancel(ARGV[i])
    change(ARGV[i], outcomes[i - 2] ~= 2)
end
return answer(outcomes)
