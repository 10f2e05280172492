-- Read how many unfinished jobs an owner has, and where the last of them begins; stands alone, without common.lua.
-- KEYS: 1 rungs:starts-of:<owner>
-- Returns {count, latest start_target without its lead as text, '' where there is none}.
return {redis.call('ZCARD', KEYS[1]), redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] or ''}
