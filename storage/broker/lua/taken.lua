-- Strike off a message that was taken. KEYS: see add.lua.
-- ARGV: 1 note
local noted = redis.call('ZSCORE', KEYS[1], ARGV[1])
if noted then
  redis.call('ZREM', KEYS[1], ARGV[1])
  if tonumber(noted) > tonumber(redis.call('GET', KEYS[2]) or 0) then
    redis.call('SET', KEYS[2], noted)
  end
end
