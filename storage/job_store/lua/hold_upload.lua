-- Go on receiving an upload; stands alone, without common.lua.
-- KEYS: 1 and 2 as those of take_upload.lua, 3 rungs:uploads  hash  upload -> how far it is, as JSON (see OpenUpload)
-- ARGV: 1 to 3 as those of take_upload.lua, 4 upload, 5 how far it is
-- Returns 1, or 0 where another request took it. Where nobody is known Redis was lost, and the holder goes on.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
redis.call('SET', KEYS[2], '1', 'PX', ARGV[2])
redis.call('HSET', KEYS[3], ARGV[4], ARGV[5])
return 1
