-- Forget that a job's end is to be saved, and make its record slim, unless the job has gone on since.
-- ARGV: 2 finished_at of the end that was saved, 3 and all that follow: what is kept of the job, in pieces
-- Returns 1, or 0 where the job started again or ended anew. A job that is not known has not gone on: Redis may be new.
local there = redis.call('EXISTS', JOB) == 1
if there and finished_at() ~= tonumber(ARGV[2]) then
  return 0
end
if there and redis.call('HEXISTS', JOB, '0') == 0 then
  slim_down({unpack(ARGV, 3)})
end
redis.call('ZREM', UNSAVED, ID)
return 1
