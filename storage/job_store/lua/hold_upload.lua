-- Go on receiving an upload; stands alone, without common.lua.
-- KEYS: 1 and 2 as those of take_upload.lua, 3 rungs:uploads  hash  upload -> how far it is, as JSON (see OpenUpload),
--       4 rungs:events, 5 rungs:job:<id>
-- ARGV: 1 to 3 as those of take_upload.lua, 4 upload, 5 how far it is, 6 the same in bytes, 7 milliseconds between two
--       events that tell it; the last one is noted in the second key
-- Returns 1, or 0 where another request took it. Where nobody is known Redis was lost, and the holder goes on.
local EVENTS_KEPT = 10000  -- as common.lua has it
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return 0
end
local time = redis.call('TIME')
local now, told = time[1] * 1000 + math.floor(time[2] / 1000), tonumber(redis.call('GET', KEYS[2]) or 0)
-- Watchers read the job itself. Its own events do not keep this one: they would hold nothing else.
if now - told >= tonumber(ARGV[7]) and redis.call('HGET', KEYS[5], 'state') == 'uploading' then
  redis.call('XADD', KEYS[4], 'NOMKSTREAM', 'MAXLEN', '~', EVENTS_KEPT, '*', 'job', ARGV[4], 'type', 'progress', 'data',
    '{"received":' .. ARGV[6] .. '}')
  told = now
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
redis.call('SET', KEYS[2], string.format('%.0f', told), 'PX', ARGV[2])
redis.call('HSET', KEYS[3], ARGV[4], ARGV[5])
return 1
