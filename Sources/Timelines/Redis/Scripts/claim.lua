-- ARGV[3...6]: see due.lua; [7]: lease in milliseconds; [8]: owner.
local lease, owner = tonumber(ARGV[7]), ARGV[8]
local claims, flights, leases = {}, {}, {}

local function lend(number)
    local push = read(number)
    if not push then return end
    stop_joining(push)
    gen = gen + 1
    flying = flying + 1
    flights[#flights + 1] = number
    flights[#flights + 1] = struct.pack('<I6B', gen, 0) .. owner
    leases[#leases + 1] = text(steady + lease)
    leases[#leases + 1] = number
    local collected = push.group and call('LRANGE', K .. ':x' .. push.group, 0, -1) or {}
    claims[#claims + 1] = { number, gen, push.attempt, push.accepted, push.due, push.content, collected, push.asked }
end

while #claims < wanted do
    local number = best()
    if not number then break end
    lend(number)
end
take_away()
if #claims > 0 then
    dirty = true
    call('HSET', K .. ':f', unpack(flights))
    call('ZADD', K .. ':l', unpack(leases))
end
return answer(claims)
