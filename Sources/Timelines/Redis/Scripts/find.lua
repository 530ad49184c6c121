-- ARGV[3...]: digests. State: 0 scheduled, 1 in flight, 2 being cancelled, 3 a newer version waits.
local found = {}
for i = 3, #ARGV do
    local number, batch = holder(ARGV[i])
    local push, state = nil, 0
    if number then
        push = read(number)
        local parked = batch and call('HGET', PARKED, text(number))
        if parked then
            number, state = struct.unpack('<I6', parked), 3
            push = { attempt = 0 }
            push.due, push.accepted = struct.unpack('<i6I6', parked, 7 + ID)
            push.asked = push.due
            push.content = string.sub(parked, 22 + ID)
        elseif batch then
            state = killed(number) and 2 or 1
        end
    end
    local collected = push and push.group and call('LRANGE', K .. ':x' .. push.group, 0, -1) or {}
    found[i - 2] = push and { state, number, push.attempt, push.accepted, push.due, push.content, push.asked, collected } or false
end
return answer(found)
