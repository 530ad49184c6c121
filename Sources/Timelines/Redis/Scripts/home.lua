-- The directory: which shard holds an id. Two ids that share an entry only share a home. ARGV[3]: what to do; [4], [5], and so on: digest and shard by turns. Answers the shard that the
-- directory names, false where it names none.
local outcomes, act = {}, ARGV[3]
for i = 4, #ARGV, 2 do
    local digest, shard = string.sub(ARGV[i], 1, 8), ARGV[i + 1]
    local home = call('HGET', bucket(homes, digest), digest)
    if act == 'claim' and not home then
        home = shard
        enter(homes, digest, shard)
    elseif act == 'move' and home ~= shard then
        enter(homes, digest, shard)
    end
    outcomes[#outcomes + 1] = tonumber(home or nil) or false
end
return conclude(outcomes, 'as before')
