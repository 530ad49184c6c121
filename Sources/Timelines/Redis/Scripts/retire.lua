-- Closes the shard for good, unless a push is pending in it. Answers whether it is closed.
if ids.size == 0 then call('HSET', K .. ':m', 'retired', '1') end
return conclude({ ids.size == 0 and 1 or 0 }, 'as before')
