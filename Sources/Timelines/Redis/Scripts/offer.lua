-- Says what claim would lend, and lends nothing: band after ageing and due time, by turns.
local ranks = {}
while #ranks < 2 * wanted do
    local number, rank, due = best()
    if not number then break end
    ranks[#ranks + 1] = rank
    ranks[#ranks + 1] = due
end
return answer(ranks)
