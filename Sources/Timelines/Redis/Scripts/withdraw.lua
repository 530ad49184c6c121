-- ARGV[3...]: digest (10), sequence (6), due (6), attempt (2). 0: taken out; 2: it is not here as it was read.
call('HDEL', K .. ':m', '')
local outcomes = {}
for i = 3, #ARGV do
    local digest = string.sub(ARGV[i], 1, ID)
    local sequence, due, attempt = struct.unpack('<I6i6H', ARGV[i], 1 + ID)
    local number, batch = holder(digest)
    local push = number == sequence and not batch and read(number)
    local is_same = push and push.due == due and push.attempt == attempt
    if is_same then
        unfile(number, push)
        remove(number, push, digest)
    end
    outcomes[i - 2] = is_same and 0 or 2
    change(digest, is_same)
end
return answer(outcomes)
