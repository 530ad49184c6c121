-- How claims end by themselves.

local function remove(number, push, digest)
    drop_group(push)
    erase(number)
    leave(ids, digest)
    count(push, -1)
end

-- The newer version takes the place of one whose claim has ended.
local function unpark(number, push, parked)
    local newer = struct.unpack('<I6', parked)
    local digest = string.sub(parked, 7, 6 + ID)
    call('HDEL', PARKED, text(number))
    drop_group(push)
    erase(number)
    count(push, -1)
    call('HSET', page(newer), field(newer), string.sub(parked, 7 + ID))
    push = read(newer)
    enter(ids, digest, newer)
    count(push, 1)
    file(newer, push)
end

-- Takes back a claim: what was parked or cancelled meanwhile counts, otherwise it is due again.
local function end_lease(number, batch)
    local parked = call('HGET', PARKED, text(number))
    local digest = killed(number)
    local push = read(number)
    land(number, batch)
    if parked then
        unpark(number, push, parked)
    elseif digest then
        remove(number, push, digest)
    else
        file(number, push)
    end
end

local function end_leases(batch)
    local held = batch.held
    for at = 1, #held, 6 do end_lease(struct.unpack('>I6', held, at), batch) end
end

-- Takes back claims whose leases are over, those of so many pushes and of one batch more at most.
local function reap(limit)
    if flying == 0 then return end
    local over = {}
    for _, name in ipairs(call('ZRANGEBYSCORE', LEASES, '-inf', text(steady), 'LIMIT', '0', text(limit))) do over[name] = true end
    if not next(over) then return end
    for _, batch in ipairs(all_batches()) do
        if over[batch.name] and limit > 0 then
            limit = limit - #batch.held / 6
            end_leases(batch)
        end
    end
end

-- A pending push by id: its sequence, and the batch that holds it; a lease that is over ends here.
local function holder(digest)
    local number = lookup(ids, digest)
    if not number or flying == 0 then return number, nil end
    local batch = batch_with(number)
    if not batch or not is_over(batch) then return number, batch end
    end_lease(number, batch)
    return lookup(ids, digest), nil
end
