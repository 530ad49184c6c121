-- Pending pushes, those in flight, and those of each account.
reap(1000)
local result = answer({})
result[4] = { ids.size, flying, call('HGETALL', K .. ':a') }
return result
