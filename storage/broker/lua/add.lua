-- Note a message that is about to be published; stands alone, without common.lua, as all of the tally.
-- KEYS, the same for each of them:
--   1 rungs:tally:<queue>        zset    "<job id> <task field>" by when it was noted (Unix seconds)
--   2 rungs:tally-taken:<queue>  string  when the youngest message that was taken had been noted (Unix seconds)
-- ARGV: 1 note
-- Returns 1, or 0 if it was noted already.
local time = redis.call('TIME')
return redis.call('ZADD', KEYS[1], string.format('%d.%06d', time[1], time[2]), ARGV[1])
