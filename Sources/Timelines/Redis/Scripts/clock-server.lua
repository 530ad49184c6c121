-- The time: this server's own, never a caller's.
local function wallclock()
    local time = redis.call('TIME')
    return time[1] * 1000 + math.floor(time[2] / 1000)
end
