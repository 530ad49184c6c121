-- Records by sequence.
local function page(number) return K .. ':r' .. text(math.floor(number / PAGE)) end

local function field(number) return text(number % PAGE) end

local function parse(record)
    local push = {}
    push.due, push.accepted, push.attempt, push.band = struct.unpack('<i6I6HB', record)
    local start = 16
    if push.band >= 128 then
        push.band = push.band - 128
        push.group = string.sub(record, 16, 15 + ID)
        start = 16 + ID
    end
    push.asked = push.due
    if push.band >= 64 then
        push.band = push.band - 64
        push.asked = struct.unpack('<i6', record, start)
        start = start + 6
    end
    push.content = string.sub(record, start)
    return push
end

local function read(number)
    local record = call('HGET', page(number), field(number))
    return record and parse(record) or nil
end

-- Sorts numbers by page: the key of each, its numbers and their fields.
local function pages_of(numbers)
    local pages, list = {}, {}
    for _, number in ipairs(numbers) do
        local key = math.floor(number / PAGE)
        local page_here = pages[key]
        if not page_here then
            page_here = { key = page(number), numbers = {}, fields = {} }
            pages[key] = page_here
            list[#list + 1] = page_here
        end
        page_here.numbers[#page_here.numbers + 1] = number
        page_here.fields[#page_here.fields + 1] = field(number)
    end
    return list
end

-- Records by number, a command for each page.
local function read_all(numbers)
    local records = {}
    for _, page_here in ipairs(pages_of(numbers)) do
        local found = call('HMGET', page_here.key, unpack(page_here.fields))
        for i, number in ipairs(page_here.numbers) do
            records[number] = found[i] and parse(found[i]) or nil
        end
    end
    return records
end

local function pack(push)
    local is_moved = push.asked ~= push.due
    local band = push.band + (push.group and 128 or 0) + (is_moved and 64 or 0)
    local asked = is_moved and struct.pack('<i6', push.asked) or ''
    return struct.pack('<i6I6HB', push.due, push.accepted, push.attempt, band) .. (push.group or '') .. asked .. push.content
end

local function write(number, push) call('HSET', page(number), field(number), pack(push)) end

local function erase(number) call('HDEL', page(number), field(number)) end

local function count(push, change)
    local length = struct.unpack('<H', push.content)
    local account = struct.unpack('Bc0', push.content, 3 + length)
    accounts[account] = (accounts[account] or 0) + change
    dirty = true
end
