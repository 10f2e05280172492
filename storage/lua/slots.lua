-- Announce a worker's slots, or only count; stands alone, without common.lua.
-- KEYS: 1 rungs:slots  hash  worker -> "<end in Unix seconds> <slots>"
-- ARGV: 1 worker ('' to only count), 2 slots, 3 seconds that the announcement holds
-- Returns the slots of all workers whose announcement holds.
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
if ARGV[1] ~= '' then
  redis.call('HSET', KEYS[1], ARGV[1], string.format('%.3f %d', now + tonumber(ARGV[3]), ARGV[2]))
end
local total = 0
local said = redis.call('HGETALL', KEYS[1])
for i = 1, #said, 2 do
  local ends, slots = string.match(said[i + 1], '^(%S+) (%d+)$')
  if tonumber(ends) > now then
    total = total + tonumber(slots)
  else
    redis.call('HDEL', KEYS[1], said[i])
  end
end
return total
