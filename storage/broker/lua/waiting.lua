-- List the notes of messages that still wait, and drop those that cannot. KEYS: see add.lua.
-- ARGV: 1 seconds by which messages may reach the queue in another order than their notes
-- Returns an array of notes.
local taken = tonumber(redis.call('GET', KEYS[2]) or 0)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.6f', taken - tonumber(ARGV[1])))
return redis.call('ZRANGE', KEYS[1], 0, -1)
