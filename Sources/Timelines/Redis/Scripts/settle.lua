-- ARGV[3...]: settlements, each followed by its successors. A settlement: digest (10), generation (6), result (1), due (6), successors (2).
-- Answers the outcomes, and the sequence before each and after the last.
call('HDEL', K .. ':m', '')
local outcomes, sequences, i = {}, {}, 3
local settlements = {}
while i <= #ARGV do
    local generation, result, due, count = struct.unpack('<I6Bi6H', ARGV[i], 1 + ID)
    local successors = {}
    for number = 1, count do
        local words = ARGV[i + number]
        if struct.unpack('<i6', words) > now + HORIZON then return redis.error_reply('TOOFAR a successor is due too far ahead') end
        successors[number] = words
    end
    settlements[#settlements + 1] = { string.sub(ARGV[i], 1, ID), generation, result, due, successors }
    i = i + 1 + count
end
for number, s in ipairs(settlements) do
    sequences[number] = seq
    outcomes[number] = settle(s[1], s[2], s[3], s[4], s[5])
    change(s[1], outcomes[number] < 3)
end
sequences[#sequences + 1] = seq
return answer({ outcomes, sequences })
