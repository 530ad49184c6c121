-- ARGV[3]: where to publish that something is due earlier; [4...]: pushes.
-- The first write needs memory: where there is none, nothing was changed yet.
call('HSET', K .. ':m', 'n', numbers())
-- Of each band: a push that waits in a band which somebody defers must not hide one in another.
local before = {}
for band = 0, 3 do before[band] = head_due(band) end
local outcomes = {}
for i = 4, #ARGV do
    outcomes[i - 3] = put(ARGV[i])
    change(string.sub(ARGV[i], 17, 16 + ID), true)
end
local result, earlier = answer(outcomes), nil
for band = 0, 3 do
    local due = head_due(band)
    if due and (not before[band] or due < before[band]) then earlier = math.min(due, earlier or due) end
end
if earlier then call('PUBLISH', ARGV[3], K .. ' ' .. text(earlier)) end
return result
