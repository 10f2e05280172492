-- Announce a worker's slots, or only list them; stands alone, without common.lua.
-- KEYS: 1 rungs:slots  hash  worker -> "<end in Unix seconds> <slots> <why it pauses, or nothing>", and
--           ";<layers that its sandbox lacks, with commas>" where it lacks any
-- ARGV: 1 worker ('' to only list), 2 slots, 3 seconds that the announcement holds, 4 why it pauses, 5 what its sandbox lacks
-- Returns an array of worker, slots, pause, lacks, worker, slots, pause, lacks ... of all whose announcement holds.
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
if ARGV[1] ~= '' then
  local said = ARGV[4]
  if ARGV[5] ~= '' then
    said = said .. ';' .. ARGV[5]
  end
  redis.call('HSET', KEYS[1], ARGV[1], string.format('%.3f %d %s', now + tonumber(ARGV[3]), ARGV[2], said))
end
local MOST_DIGITS = 6 -- of slots
local held = {}
local said = redis.call('HGETALL', KEYS[1])
for i = 1, #said, 2 do
  local ends, slots, pause, lacks = string.match(said[i + 1], '^(%S+) (%d+) ?([^%s;]*);?(%S*)$')
  -- What nobody announced so is dropped, as what has run out: a live worker announces itself again.
  if slots and #slots <= MOST_DIGITS and (tonumber(ends) or 0) > now then
    held[#held + 1] = said[i]
    held[#held + 1] = tonumber(slots)
    held[#held + 1] = pause
    held[#held + 1] = lacks
  else
    redis.call('HDEL', KEYS[1], said[i])
  end
end
return held
