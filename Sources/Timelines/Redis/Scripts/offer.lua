-- Says what claim would lend, and lends nothing: band after ageing, due time and how many of these, by turns.
local ranks, last, band_before, due_before = {}, 0, nil, nil
take(function(_, band, due)
    if due == due_before and band == band_before then
        ranks[last] = ranks[last] + 1
        return
    end
    ranks[last + 1], ranks[last + 2], ranks[last + 3] = rank_of(band, due), due, 1
    last, band_before, due_before = last + 3, band, due
end)
return answer(ranks)
