-- Read what all unfinished jobs come to; stands alone, without common.lua.
-- KEYS: 1 rungs:work, 2 rungs:figures, 3 rungs:unfinished
-- Returns {encoder time of all, of those that wait, both in microseconds as text; how many wait, how many there are}.
local work = 0
for digit = 0, 15 do
  work = work + tonumber(redis.call('HGET', KEYS[1], string.format('%x', digit)) or 0)
end
local waiting, waiting_work = unpack(redis.call('HMGET', KEYS[2], 'waiting', 'waiting_work'))
return {string.format('%.0f', work), waiting_work or '0', tonumber(waiting or 0), redis.call('ZCARD', KEYS[3])}
