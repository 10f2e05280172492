-- Forget that a job's end is to be saved, unless the job has gone on since.
-- ARGV: 2 finished_at of the end that was saved
-- Returns 1, or 0 where the job started again or ended anew. A job that is not known has not gone on: Redis may be new.
local state, finished_at = unpack(redis.call('HMGET', JOB, 'state', 'finished_at'))
if state and tonumber(finished_at or -1) ~= tonumber(ARGV[2]) then
  return 0
end
redis.call('ZREM', UNSAVED, ID)
return 1
