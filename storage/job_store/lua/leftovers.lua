-- Read which ended jobs' objects are to be removed by now; stands alone, without common.lua.
-- KEYS: 1 rungs:leftovers
-- ARGV: 1 how many
-- Returns an array of ids, the longest due first.
local time = redis.call('TIME')
return redis.call('ZRANGE', KEYS[1], '-inf', time[1] .. '.' .. string.format('%06d', time[2]), 'BYSCORE', 'LIMIT', 0,
  ARGV[1])
