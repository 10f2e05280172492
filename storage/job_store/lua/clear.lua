-- Begin to remove what an ended job left, unless it was started again or somebody else does it; stands alone, without
-- common.lua.
-- KEYS: 1 rungs:leftovers, 2 rungs:job:<id>
-- ARGV: 1 the job's id, 2 seconds that the removal may take
-- Returns 'made' where the job is still there, 'all' where it was deleted, '' when nothing is to be done. In one step:
-- were the record asked for later, a Redis that lost its data in between would look like a deletion.
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local due = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not due or tonumber(due) > now then
  return ''
end
redis.call('ZADD', KEYS[1], string.format('%.6f', now + tonumber(ARGV[2])), ARGV[1])
return redis.call('EXISTS', KEYS[2]) == 1 and 'made' or 'all'
