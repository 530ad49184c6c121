-- ARGV[3...6]: see due.lua; [7]: lease in milliseconds; [8]: owner.
-- Answers the generation, the sequences (6 each, in one word), the records, and of those that have collected others their places and what they have collected, by turns.
local names, pages = {}, {}
if #cursors == 1 then
    names = take_run(cursors[1].band)
else
    take(function(name) names[#names + 1] = name end)
    take_away()
end
if #names == 0 then return answer({}) end

-- A command for each page: records by place.
for place, name in ipairs(names) do
    local number = first_of(name)
    local key = math.floor(number / PAGE)
    local here = pages[key]
    if not here then
        here = { page(number), places = {} }
        pages[key] = here
    end
    here[#here + 1] = text(number % PAGE)
    here.places[#here.places + 1] = place
end
local records, collected = {}, {}
for _, here in pairs(pages) do
    local found = call('HMGET', unpack(here))
    for i, place in ipairs(here.places) do records[place] = found[i] end
end
for place, record in ipairs(records) do
    if string.byte(record, 15) >= 128 then
        local group = string.sub(record, 16, 15 + ID)
        stop_joining({ group = group })
        collected[#collected + 1] = place
        collected[#collected + 1] = call('LRANGE', K .. ':x' .. group, 0, -1)
    end
end
dirty = true
gen = gen + 1
flying = flying + #names
local held = table.concat(names)
call('HSET', FLIGHTS, text(gen), string.char(#ARGV[8]) .. ARGV[8] .. held)
call('ZADD', LEASES, text(steady + ARGV[7]), text(gen))
return answer({ gen, held, records, collected })
