-- Count jobs at one moment; stands alone, without common.lua. (A script, because MULTI is refused when memory is full.)
-- KEYS: 1 rungs:waiting, 2 rungs:unfinished
-- Returns how many wait and how many are unfinished.
return {redis.call('ZCARD', KEYS[1]), redis.call('ZCARD', KEYS[2])}
