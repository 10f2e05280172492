-- Read one page of a list of jobs; stands alone, without common.lua.
-- KEYS: 1 the list: rungs:owned:<owner> or rungs:owned-in:<state>:<owner>
-- ARGV: 1 upper bound of the cursors ('+' or '(<cursor>'), 2 how many
-- Returns an array of {cursor, record}, newest first. The records' keys are made from the cursors
-- ('<microseconds>:<id>').
local records = {}
for _, cursor in ipairs(redis.call('ZREVRANGEBYLEX', KEYS[1], ARGV[1], '-', 'LIMIT', 0, ARGV[2])) do
  local record = redis.pcall('HGETALL', 'rungs:job:' .. string.match(cursor, ':(.*)$'))
  records[#records + 1] = {cursor, record.err and {} or record}
end
return records
