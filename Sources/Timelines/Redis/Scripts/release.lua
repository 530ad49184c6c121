-- ARGV[3]: an owner that has come back: what it held is due again, or ends as was said meanwhile.
call('HDEL', K .. ':m', '')
local flights = flying > 0 and call('HGETALL', K .. ':f') or {}
for i = 1, #flights, 2 do
    local flight = flights[i + 1]
    local owner = string.sub(flight, string.byte(flight, 7) == 1 and 8 + ID or 8)
    if owner == ARGV[3] then end_lease(tonumber(flights[i])) end
end
return answer({})
