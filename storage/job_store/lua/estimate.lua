-- Take in what is expected of an unfinished job, or only count anew what is known of it.
-- ARGV: 2 '1' if there is an estimate, then encoder-seconds: 3 of the job, 4 of its start, 5 as its bytes told; 6 seconds by
--       which its target lies behind its start's for each time that it is in flight: for a job that has no estimate yet
-- Returns 1, or 0 where the job ended.
if ARGV[2] == '1' and is_unfinished() then
  local state, known, in_flight, start_target = unpack(redis.call('HMGET', JOB, 'state', 'cost', 'in_flight', 'start_target'))
  redis.call('HSET', JOB, 'cost', ARGV[3], 'start_cost', ARGV[4], 'told', ARGV[5])
  if not known and (state == 'queued' or state == 'planning') then
    redis.call('HSET', JOB, 'target', string.format('%.6f', start_target + ARGV[6] * in_flight))
  end
end
recount()
return is_unfinished() and 1 or 0
