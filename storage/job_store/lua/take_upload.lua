-- Make a request the only one that receives an upload; stands alone, without common.lua.
-- KEYS: 1 rungs:upload-holder:<id>     string  the request that took it last, with an expiry
--       2 rungs:receiving:<holder>     string  there as long as this request may store something, with an expiry
-- ARGV: 1 holder, 2 milliseconds until it counts as dead if it says nothing, 3 milliseconds for which it is known
-- Returns who had it before, '' for nobody.
local before = redis.call('GET', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
redis.call('SET', KEYS[2], '1', 'PX', ARGV[2])
return before or ''
