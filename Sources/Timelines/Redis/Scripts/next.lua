-- When to look next.

-- A claim that leaves low bands to wait: from this band on, what it lends has been due for so many milliseconds.
local deferred, longest = 4, 0

local function delay(band) return band >= deferred and longest or 0 end

-- When the first push of a band is due; nil with none.
local function head_due(band)
    local chunk = call('ZRANGE', TOP[band], '0', '0')[1]
    return chunk and tonumber(call('ZRANGE', CHUNKS[band] .. chunk, '0', '0', 'WITHSCORES')[2] or nil)
end

-- When the next push becomes due or the next lease ends; false with nothing pending.
local function next_due()
    local next = false
    for band = 0, 3 do
        local due = head_due(band)
        if due and (not next or due + delay(band) < next) then next = due + delay(band) end
    end
    if flying > 0 then
        local lease = call('ZRANGE', LEASES, '0', '0', 'WITHSCORES')
        local ends = now + tonumber(lease[2]) - steady
        if not next or ends < next then next = ends end
    end
    return next
end

-- The end of a script after which something else may be due next.
local function answer(reply)
    local said = conclude(reply, false)
    local next = next_due()
    if next and next > now and text(next) ~= rung then ring(K, next, text(next), next - now) end
    said[3] = next
    return said
end
