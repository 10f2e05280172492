-- Append a sample and forget the oldest; stands alone, without common.lua.
-- KEYS: 1 rungs:samples
-- ARGV: 1 sample (JSON), 2 how many are kept
redis.call('LPUSH', KEYS[1], ARGV[1])
redis.call('LTRIM', KEYS[1], 0, tonumber(ARGV[2]) - 1)
