-- Forget a job and its tasks; its events stay for a while, so that watchers learn of the end.
-- ARGV: 2 seconds that the job's own events stay, 3 seconds in which attempts at its tasks may still write objects
-- Returns 1, or 0 where there was no such job.
local state = redis.call('HGET', JOB, 'state')
if not state then
  return 0
end
local owner, cursor = place_of()
take_back()
redis.call('ZREM', FOLLOWED, ID)
redis.call('DEL', EARLY)
redis.call('DEL', JOB, WANTED, FRAMES, DONE, ATTEMPTS, LEASES, INTERIM)
redis.call('ZREM', names_list(state, owner), cursor)
redis.call('ZREM', WAITING, ID)
redis.call('ZREM', UNFINISHED, ID)
redis.call('ZREM', NOTICES, ID)
redis.call('ZADD', LEFTOVERS, string.format('%.6f', now() + tonumber(ARGV[3])), ID)
redis.call('ZREM', UNSAVED, ID)
recount()
emit('deleted', '{}')
redis.call('EXPIRE', JOB_EVENTS, ARGV[2])
return 1
