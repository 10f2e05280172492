-- Read the places of some jobs among those that have not begun; stands alone, without common.lua.
-- KEYS: 1 rungs:waiting, 2 rungs:unbegun
-- ARGV: of each job its id and its start_target
-- Returns an array of places: how many planned jobs begin before it, and more if it is not planned: the rank of its plan.
local found = {}
for place = 1, #ARGV, 2 do
  local rank = redis.call('ZRANK', KEYS[1], ARGV[place]) or 0
  found[#found + 1] = 1 + rank + redis.call('ZCOUNT', KEYS[2], '-inf', '(' .. ARGV[place + 1])
end
return found
