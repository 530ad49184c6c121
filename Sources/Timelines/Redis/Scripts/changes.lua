local function remember(digest, number)
    call('HSET', K .. ':z', digest, text(number))
    call('PEXPIRE', K .. ':z', text(WINDOW))
end

-- Counts what was asked about an id, also where it had no effect. What is done again after a fail-over must not undo it.
local function change(digest, has_effect)
    lsn = lsn + 1
    local is_remembered = window and now < window
    -- A number that stands somewhere is never given again.
    dirty = dirty or has_effect or is_remembered
    if is_remembered then remember(digest, lsn) end
end
