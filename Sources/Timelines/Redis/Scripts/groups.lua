-- Groups that merge.

-- Nothing joins this push any more.
local function stop_joining(push)
    if not push.group then return end
    local span = call('HGET', K .. ':w', push.group)
    if not span then return end
    local key = string.sub(span, 13)
    if call('HGET', K .. ':g', key) == push.group then call('HDEL', K .. ':g', key) end
end

local function drop_group(push)
    if not push.group then return end
    stop_joining(push)
    call('HDEL', K .. ':w', push.group)
    call('DEL', K .. ':x' .. push.group)
end
