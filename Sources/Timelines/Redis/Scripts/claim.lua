-- ARGV[3...6]: see due.lua; [7]: lease in milliseconds; [8]: owner.
local lease, owner = tonumber(ARGV[7]), ARGV[8]
local numbers = {}
while #numbers < wanted do
    local number = best()
    if not number then break end
    numbers[#numbers + 1] = number
end
local records = read_all(numbers)
local claims, flights, leases = {}, {}, {}
local ends = text(steady + lease)
for _, number in ipairs(numbers) do
    local push = records[number]
    if push then
        stop_joining(push)
        gen = gen + 1
        flying = flying + 1
        local name = text(number)
        flights[#flights + 1] = name
        flights[#flights + 1] = struct.pack('<I6B', gen, 0) .. owner
        leases[#leases + 1] = ends
        leases[#leases + 1] = name
        local collected = push.group and call('LRANGE', K .. ':x' .. push.group, 0, -1) or {}
        claims[#claims + 1] = { number, gen, push.attempt, push.accepted, push.due, push.content, collected, push.asked }
    end
end
take_away()
if #claims > 0 then
    dirty = true
    call('HSET', FLIGHTS, unpack(flights))
    call('ZADD', LEASES, unpack(leases))
end
return answer(claims)
