-- Replace the tracks of subtitles that were added to a job.
-- ARGV: 2 those that the caller has seen, 3 those that there are to be; both as the record has them, '' for none
-- Returns 1, 0 where the record has others by now, or -1 where there is no such job. Watchers of a job whose record is
-- slim have gone.
if redis.call('EXISTS', JOB) == 0 then
  return -1
end
local present = redis.call('HGET', JOB, 'added') or ''
if present ~= ARGV[2] then
  return present == ARGV[3] and 1 or 0
end
if ARGV[3] == '' then
  redis.call('HDEL', JOB, 'added')
else
  redis.call('HSET', JOB, 'added', ARGV[3])
end
if redis.call('HEXISTS', JOB, '0') == 0 then
  emit('subtitles', '{}')
end
return 1
