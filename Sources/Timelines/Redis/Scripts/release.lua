-- ARGV[3]: an owner that has come back: what it held is due again, or ends as was said meanwhile.
call('HDEL', K .. ':m', '')
for _, batch in ipairs(all_batches()) do
    if batch.owner == ARGV[3] then end_leases(batch) end
end
return answer({})
