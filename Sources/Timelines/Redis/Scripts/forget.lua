-- Removes entries of the directory (home.lua) where they name the shard given. ARGV[3], [4], and so on: digest and shard by turns.
local lists, shards = {}, {}
for i = 3, #ARGV, 2 do
    local digest = string.sub(ARGV[i], 1, 8)
    local key = bucket(homes, digest)
    local list = lists[key]
    if not list then
        list = { key }
        lists[key], shards[key] = list, {}
    end
    list[#list + 1] = digest
    shards[key][#list] = ARGV[i + 1]
end
for key, list in pairs(lists) do
    local found, gone = call('HMGET', unpack(list)), { key }
    for place, shard in pairs(shards[key]) do
        if found[place - 1] == shard then gone[#gone + 1] = list[place] end
    end
    if #gone > 1 then homes.size = homes.size - call('HDEL', unpack(gone)) end
end
dirty = true
return conclude({}, 'as before')
