-- A server takes over a shard as it has it. What the last one did beyond that has left no trace here; it may be done again (redo.lua) before the shard is open. Numbers that
-- the last one may have given are left out, so that none is given twice: no token's, no version's, no change's. Such a gap of changes is a hole.
-- ARGV[3]: 'begin', or 'open' when everything was done again; [4]: the highest change that the caller has heard of, which may be of a server that was the primary for a moment only;
-- [5]: the name by which the caller knows what lies here, or nothing; [6]: a new one, for what has none.
-- Answers the change before each hole and the last of it, by turns; and the name.
call('HDEL', K .. ':m', '')
-- Where nothing is left, what is put from now on has another name, by which all who knew the old one learn that everything was lost.
local name = call('HGET', K .. ':m', 'name')
if not name then
    name = (meta[1] and ARGV[5] ~= '') and ARGV[5] or ARGV[6]
    call('HSET', K .. ':m', 'name', name)
end
local newest = math.max(tonumber(ARGV[4]), heard)
if ARGV[3] == 'begin' and (lsn < heard or run ~= server and heir ~= server) then
    -- Whose shard is new has nothing that others could do again.
    if run or newest > 0 then call('HSET', K .. ':m', 'window', text(now + WINDOW)) end
    local gap = math.max(lsn, newest) + HOLE - lsn
    holes = string.sub(holes .. struct.pack('<I6I6', lsn, lsn + gap), -96)
    seq, gen, lsn = seq + gap, gen + gap, lsn + gap
    dirty = true
    call('HSET', K .. ':m', 'heir', server, 'holes', holes)
    call('HDEL', K .. ':m', 'run')
elseif ARGV[3] == 'open' and run ~= server and heir == server then
    call('HSET', K .. ':m', 'run', server)
end
local bounds = {}
for i = 1, #holes, 6 do bounds[#bounds + 1] = struct.unpack('<I6', holes, i) end
return conclude({ bounds, name }, 'as before')
