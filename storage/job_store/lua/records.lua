-- Read the records of some jobs at one moment; stands alone, without common.lua.
-- KEYS: none; the jobs' keys are made from the ids
-- ARGV: ids of jobs
-- Returns an array of {id, record}; of a job that is gone, or whose key is spoiled, the record is empty.
local found = {}
for place, id in ipairs(ARGV) do
  local record = redis.pcall('HGETALL', 'rungs:job:' .. id)
  found[place] = {id, record.err and {} or record}
end
return found
