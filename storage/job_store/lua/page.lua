-- Read one page of one or several lists of jobs, as if they were one; stands alone, without common.lua.
-- KEYS: the lists, rungs:owned-in:<state>:<owner>
-- ARGV: 1 upper bound of the cursors ('+' or '(<cursor>'), 2 how many
-- Returns an array of {cursor, record}, newest first. The records' keys are made from the cursors
-- ('<microseconds>:<id>').
local found = {}
for _, list in ipairs(KEYS) do
  for _, cursor in ipairs(redis.call('ZREVRANGEBYLEX', list, ARGV[1], '-', 'LIMIT', 0, ARGV[2])) do
    found[#found + 1] = cursor
  end
end
table.sort(found, function(one, other) return one > other end)
local records = {}
for place = 1, math.min(#found, tonumber(ARGV[2])) do
  local record = redis.pcall('HGETALL', 'rungs:job:' .. string.match(found[place], ':(.*)$'))
  records[place] = {found[place], record.err and {} or record}
end
return records
