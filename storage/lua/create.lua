-- Save a new job.
-- ARGV: 2 call token, 3 fields of the record (JSON object), 4 frames by task field (JSON object),
--       5 '1' if the job is finished, 6 created_at
-- Returns 1, or 0 where another call made a job of this id.
local call, fields, wanted = ARGV[2], cjson.decode(ARGV[3]), cjson.decode(ARGV[4])

local maker = redis.call('HGET', JOB, 'call:create')
if maker then
  return maker == call and 1 or 0
end
for name, value in pairs(fields) do
  redis.call('HSET', JOB, name, value)
end
redis.call('HSET', JOB, 'call:create', call)
save_wanted(wanted)
redis.call('ZADD', 'rungs:owned:' .. fields.owner, 0, fields.cursor)
redis.call('ZADD', names_list(fields.state, fields.owner), 0, fields.cursor)
if fields.state == 'queued' then
  redis.call('ZADD', WAITING, string.format('%.6f', now()), ID)
end
if ARGV[5] ~= '1' then
  redis.call('ZADD', UNFINISHED, ARGV[6], ID)
end
redis.call('PERSIST', JOB_EVENTS)
emit_state('created', fields.state)
return 1
