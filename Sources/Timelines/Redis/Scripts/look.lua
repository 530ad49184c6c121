-- Only the clocks, and when to look next.
return answer({})
