-- How a push is taken in.

local function add(digest, push, key, base)
    seq = seq + 1
    if key then
        push.group = digest
        call('HSET', K .. ':w', digest, struct.pack('<i6i6', base, base) .. key)
        call('HSET', K .. ':g', key, digest)
    end
    write(seq, push)
    enter(ids, digest, seq)
    count(push, 1)
    file(seq, push)
end

-- The head of a group takes the content of a push that joins it, under its own id. False where that is due too late to join.
local function join(head, push, mode, grace, wait)
    local base = math.max(push.due, now)
    local span = call('HGET', K .. ':w', head)
    local first, last = struct.unpack('<i6i6', span)
    first, last = math.min(first, base), math.max(last, base)
    if last > first + wait then return false end
    local number = lookup(ids, head)
    local old = read(number)
    local collected = K .. ':x' .. head
    if mode ~= 2 then
        call('DEL', collected)
    elseif call('LLEN', collected) < 15 then
        call('RPUSH', collected, old.content)
    end
    call('HSET', K .. ':w', head, struct.pack('<i6i6', first, last) .. string.sub(span, 13))
    unfile(number, old)
    erase(number)
    local id = string.sub(old.content, 1, 2 + struct.unpack('<H', old.content))
    push.content = id .. string.sub(push.content, 3 + struct.unpack('<H', push.content))
    push.due = math.min(first + wait, last + grace)
    push.asked = push.due
    push.attempt, push.group = old.attempt, head
    seq = seq + 1
    write(seq, push)
    enter(ids, head, seq)
    file(seq, push)
    return true
end

-- Accepts one push: 0 accepted, 1 replaced, 2 parked, 3 merged, 4 due too far ahead, 5 parked in the place of another.
local function put(words)
    local due, band, mode, grace, wait = struct.unpack('<i6BBI4I4', words)
    if due > now + HORIZON then return 4 end
    local digest = string.sub(words, 17, 16 + ID)
    local key = mode > 0 and string.sub(words, 17 + ID, 16 + 2 * ID) or nil
    local push = { due = due, accepted = now, attempt = 0, band = band }
    push.content = string.sub(words, 17 + (key and 2 or 1) * ID)
    local base = math.max(due, now)
    local alone = key and base + math.min(grace, wait) or due
    local number, batch = holder(digest)
    if batch then
        seq = seq + 1
        push.due, push.asked = alone, alone
        dirty = true
        return call('HSET', PARKED, text(number), struct.pack('<I6', seq) .. digest .. pack(push)) == 1 and 2 or 5
    end
    if number then
        local old = read(number)
        unfile(number, old)
        drop_group(old)
        erase(number)
        count(old, -1)
    elseif key then
        local head = call('HGET', K .. ':g', key)
        if head and join(head, push, mode, grace, wait) then return 3 end
    end
    push.due, push.asked = alone, alone
    add(digest, push, key, base)
    return number and 1 or 0
end
