-- ARGV[3]: lease in milliseconds; [4...]: digest (10) and generation (6).
call('HDEL', K .. ':m', '')
local outcomes = {}
for i = 4, #ARGV do
    local number, flight = holder(string.sub(ARGV[i], 1, ID))
    if not flight or struct.unpack('<I6', flight) ~= struct.unpack('<I6', ARGV[i], 1 + ID) then
        outcomes[i - 3] = 2
    else
        call('ZADD', LEASES, text(steady + ARGV[3]), text(number))
        dirty = true
        local is_superseded = string.byte(flight, 7) == 1 or call('HEXISTS', PARKED, text(number)) == 1
        outcomes[i - 3] = is_superseded and 1 or 0
    end
end
return answer(outcomes)
