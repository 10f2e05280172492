-- Make one move of the state machine, if the job is in a state that allows it.
-- ARGV: 2 call token, 3 new state, 4 states that allow the move (' queued planning '), 5 fields to write (JSON object),
--       6 frames by task field (JSON object, used when encoding begins), 7 field that takes the time ('' for none),
--       8 '1' if leases are kept, 9 how many rates are kept, 10 '1' if the job's webhook is to be told
-- Returns {'moved', record}, {'refused', present state} or {'unknown'}. A call that is sent again, because its answer
-- was lost, is told 'moved' whatever happened since.
local call, to, allowed = ARGV[2], ARGV[3], ARGV[4]

local state, owner, cursor = unpack(redis.call('HMGET', JOB, 'state', 'owner', 'cursor'))
if not state then
  return {'unknown'}
end
if state == to or redis.call('HGET', JOB, 'call:' .. to) == call then
  return {'moved', redis.call('HGETALL', JOB)}
end
if not string.find(allowed, ' ' .. state .. ' ', 1, true) then
  return {'refused', state}
end

local time = now()
if to == 'queued' then
  redis.call('DEL', WANTED, FRAMES, DONE, ATTEMPTS, INTERIM)
  redis.call('HDEL', JOB, 'started_at', 'encoding_at', 'finished_at', 'plan', 'frames', 'duration', 'has_poster',
    'outputs', 'warnings', 'error', 'left', 'closed_by', 'segments',
    'issued', 'segments_done', 'playable', 'call:replan', 'tries')
  redis.call('ZREM', NOTICES, ID)
  redis.call('HSET', JOB, 'frames_done', 0)
  redis.call('ZADD', WAITING, string.format('%.6f', time), ID)
else
  redis.call('ZREM', WAITING, ID)
end
if ARGV[8] ~= '1' then
  redis.call('DEL', LEASES)
end
for name, value in pairs(cjson.decode(ARGV[5])) do
  redis.call('HSET', JOB, name, value)
end
if to == 'encoding' then
  save_wanted(cjson.decode(ARGV[6]))
end
if ARGV[7] ~= '' then
  redis.call('HSET', JOB, ARGV[7], string.format('%.6f', time))
end
redis.call('HSET', JOB, 'state', to, 'call:' .. to, call)
redis.call('ZREM', names_list(state, owner), cursor)
redis.call('ZADD', names_list(to, owner), 0, cursor)
if ARGV[7] == 'finished_at' then
  redis.call('ZREM', UNFINISHED, ID)
else
  -- The cursor begins with the creation in microseconds.
  redis.call('ZADD', UNFINISHED, string.format('%.6f', tonumber(string.match(cursor, '^%d+')) / 1000000), ID)
end
if to == 'ready' then
  local began, duration = unpack(redis.call('HMGET', JOB, 'encoding_at', 'duration'))
  if began and duration then
    redis.call('LPUSH', RATES, string.format('%.9g', (time - tonumber(began)) / tonumber(duration)))
    redis.call('LTRIM', RATES, 0, tonumber(ARGV[9]) - 1)
  end
end
if ARGV[10] == '1' and type(cjson.decode(redis.call('HGET', JOB, 'intake')).webhook_url) == 'string' then
  redis.call('ZADD', NOTICES, string.format('%.6f', time), ID)
end
emit_state('state', to)
return {'moved', redis.call('HGETALL', JOB)}
