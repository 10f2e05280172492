-- End a notice or make it due later, unless the job's notice is another one by now.
-- ARGV: 2 finished_at and 3 tries of the notice that is meant, 4 seconds until it is due again ('' ends it),
--       5 '1' to count a failed try
-- Returns 1, or 0 where it is another one or none.
local tries = redis.call('HGET', JOB, 'tries')

-- A notice is in the set only while its job's record is there, ended.
if not redis.call('ZSCORE', NOTICES, ID)
  or finished_at() ~= tonumber(ARGV[2])
  or tonumber(tries or 0) ~= tonumber(ARGV[3])
then
  return 0
end
if ARGV[4] == '' then
  redis.call('ZREM', NOTICES, ID)
  redis.call('HDEL', JOB, 'tries')
  return 1
end
redis.call('ZADD', NOTICES, string.format('%.6f', now() + tonumber(ARGV[4])), ID)
if ARGV[5] == '1' then
  redis.call('HINCRBY', JOB, 'tries', 1)
end
return 1
