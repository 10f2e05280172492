-- Take or prolong a role that one holder has at a time; stands alone, without common.lua.
-- KEYS: 1 rungs:role:<name>  string  the holder, with an expiry
-- ARGV: 1 holder, 2 milliseconds
-- Returns 1, or 0 while somebody else has it.
local present = redis.call('GET', KEYS[1])
if present and present ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
