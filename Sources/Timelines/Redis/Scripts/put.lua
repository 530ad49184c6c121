-- ARGV[3]: where to publish that something is due earlier; [4...]: pushes.
-- The first write needs memory: where there is none, nothing was changed yet.
call('HSET', K .. ':m', 'steady', text(steady), 'wall', text(now))
local before = next_due()
local outcomes = {}
for i = 4, #ARGV do
    outcomes[i - 3] = put(ARGV[i])
    change(string.sub(ARGV[i], 17, 16 + ID), true)
end
local result = answer(outcomes)
if result[3] and (not before or result[3] < before) then
    call('PUBLISH', ARGV[3], K .. ' ' .. text(result[3]))
end
return result
