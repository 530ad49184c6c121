-- ARGV[3...]: digests. 0 cancelled, 1 in flight, 2 gone.
call('HDEL', K .. ':m', '')
local outcomes = {}
for i = 3, #ARGV do
    local digest = ARGV[i]
    local number, flight = holder(digest)
    if not number then
        outcomes[i - 2] = 2
    elseif flight then
        call('HDEL', K .. ':p', number)
        if string.byte(flight, 7) == 0 then
            call('HSET', K .. ':f', number, string.sub(flight, 1, 6) .. string.char(1) .. digest .. string.sub(flight, 8))
        end
        dirty = true
        outcomes[i - 2] = 1
    else
        local push = read(number)
        unfile(number, push)
        remove(number, push, digest)
        outcomes[i - 2] = 0
    end
end
return answer(outcomes)
