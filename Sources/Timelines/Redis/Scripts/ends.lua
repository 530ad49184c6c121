-- How pushes end: for cancels, settlements, and both done again.
local DONE, RETRY = 0, 1

-- 0 cancelled, 1 in flight, 2 gone, 3 in flight, and what was parked behind it is gone.
local function cancel(digest)
    local number, batch = holder(digest)
    if not number then return 2 end
    if batch then
        local parked = call('HDEL', PARKED, text(number))
        call('HSET', KILLED, text(number), digest)
        kills = nil
        dirty = true
        return parked == 1 and 3 or 1
    end
    local push = read(number)
    unfile(number, push)
    remove(number, push, digest)
    return 0
end

-- What a result makes of a push that is neither filed nor in flight.
local function finish(number, push, digest, result, due)
    if result == DONE then return remove(number, push, digest) end
    push.due = due
    if result == RETRY then push.attempt = math.min(push.attempt + 1, 65535) end
    write(number, push)
    file(number, push)
end

-- 0 settled, 1 it was cancelled, 2 a newer version is pending now, 3 the token is not the newest.
local function settle(digest, generation, result, due, successors)
    local number, batch = holder(digest)
    if not batch or batch.gen ~= generation then return 3 end
    local push = read(number)
    local parked = call('HGET', PARKED, text(number))
    local is_cancelled = killed(number)
    land(number, batch)
    if is_cancelled and not parked then
        remove(number, push, digest)
        return 1
    end
    -- A cancel that came before the newer version ended this one all the same: no successors.
    if is_cancelled then successors = {} end
    if parked then
        unpark(number, push, parked)
        for _, words in ipairs(successors) do
            if string.sub(words, 17, 16 + ID) ~= digest then put(words) end
        end
        return 2
    end
    finish(number, push, digest, result, due)
    for _, words in ipairs(successors) do put(words) end
    return 0
end
