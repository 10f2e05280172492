-- Read the jobs of a list whose time has come; stands alone, without common.lua.
-- KEYS: 1 the list: rungs:notices or rungs:unsaved
-- ARGV: 1 how many
-- Returns an array of {id, record}, the longest due first. The records' keys are made from the ids.
local time = redis.call('TIME')
local due = redis.call('ZRANGE', KEYS[1], '-inf', time[1] .. '.' .. string.format('%06d', time[2]), 'BYSCORE', 'LIMIT', 0,
  ARGV[1])
local records = {}
for _, id in ipairs(due) do
  local record = redis.pcall('HGETALL', 'rungs:job:' .. id)
  records[#records + 1] = {id, record.err and {} or record}
end
return records
