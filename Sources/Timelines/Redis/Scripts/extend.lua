-- ARGV[3]: lease in milliseconds; [4...]: digest (10) and generation (6).
call('HDEL', K .. ':m', '')
local outcomes, extended = {}, {}
for i = 4, #ARGV do
    local number, batch = holder(string.sub(ARGV[i], 1, ID))
    if not batch or struct.unpack('<I6', ARGV[i], 1 + ID) ~= batch.gen then
        outcomes[i - 3] = 2
    else
        extended[batch] = extended[batch] or {}
        extended[batch][member(number)] = true
        local is_superseded = killed(number) or call('HEXISTS', PARKED, text(number)) == 1
        outcomes[i - 3] = is_superseded and 1 or 0
    end
end

-- Only some of a batch: a batch of their own.
local function part(batch, members)
    local taken, left = {}, {}
    for at = 1, #batch.held, 6 do
        local name = string.sub(batch.held, at, at + 5)
        table.insert(members[name] and taken or left, name)
    end
    if #left == 0 then return batch end
    gen = gen + 1
    batch.held, batch.is_changed = table.concat(left), true
    local new = { name = text(batch.gen) .. ':' .. text(gen), gen = batch.gen, owner = batch.owner, held = table.concat(taken), is_changed = true }
    batches[#batches + 1] = new
    return new
end

for batch, members in pairs(extended) do
    call('ZADD', LEASES, text(steady + ARGV[3]), part(batch, members).name)
    dirty = true
end
return answer(outcomes)
