-- Pending pushes that nobody holds, bucket after bucket of the index of ids: those grow, but no entry ever moves to one before.
-- ARGV[3]: the first bucket; [4]: about how many. Answers the next bucket, false at the end, and the pushes.
local bucket_number, wanted = tonumber(ARGV[3]), tonumber(ARGV[4])
call('HDEL', K .. ':m', '')
reap(256)
local found, last = {}, math.min(bucket_number + 256, ids.buckets)
while bucket_number < last and #found < wanted do
    local entries = call('HGETALL', ids.name .. bucket_number)
    for i = 2, #entries, 2 do
        local number = tonumber(entries[i])
        local push = not batch_with(number) and read(number)
        if push then
            local collected, group = {}, false
            local span = push.group and call('HGET', K .. ':w', push.group)
            if span then
                local first, latest = struct.unpack('<i6i6', span)
                local is_open = call('HGET', K .. ':g', string.sub(span, 13)) == push.group
                group = { first, latest, is_open and 1 or 0 }
                collected = call('LRANGE', K .. ':x' .. push.group, 0, -1)
            end
            found[#found + 1] = { number, push.attempt, push.accepted, push.due, push.content, push.asked, collected, group }
        end
    end
    bucket_number = bucket_number + 1
end
return answer({ bucket_number < ids.buckets and bucket_number, found })
