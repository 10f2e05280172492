-- Make one move of the state machine, if the job is in a state that allows it.
-- ARGV: 2 call token, 3 new state, 4 states that allow the move (' queued planning '), 5 fields to write (JSON object),
--       6 segments by task field (JSON object of JSON texts; used when encoding begins), 7 field that takes the time
--       ('' for none), 8 '1' if leases are kept, 9 how many finished jobs are kept, 10 '1' if the job's webhook is to be
--       told, 11 to 13 step, leads and apart of note_arrival, 14 fields of the job that a new run forgets (JSON array),
--       15 which part of an owner's unfinished jobs may be high, one at least, 16 '1' if what was done early is the job's
--       own now, 17 seconds for which it is kept how much of that an owner wastes
-- Returns {'moved', record}, {'refused', present state}, {'incomplete'} where a job without an original is to be queued,
-- {'clearing'} while what the last run left is being removed, or {'unknown'}. A call that is sent again, because its
-- answer was lost, is told 'moved' whatever happened since.
local call, to, allowed = ARGV[2], ARGV[3], ARGV[4]

local state = redis.call('HGET', JOB, 'state')
if not state then
  return {'unknown'}
end
if state == to or redis.call('HGET', JOB, 'call:' .. to) == call then
  return {'moved', redis.call('HGETALL', JOB)}
end
if not string.find(allowed, ' ' .. state .. ' ', 1, true) then
  return {'refused', state}
end

if to == 'queued' and redis.call('HEXISTS', JOB, 'incomplete') == 1 then
  return {'incomplete'}
end

local time = now()
local owner, cursor = place_of()
if to ~= 'planning' then
  take_back()
end
if to == 'queued' then
  if tonumber(redis.call('ZSCORE', LEFTOVERS, ID) or 0) > time then
    return {'clearing'}
  end
  redis.call('ZREM', LEFTOVERS, ID)
  forget_kept()
  redis.call('DEL', WANTED, FRAMES, DONE, ATTEMPTS, INTERIM)
  redis.call('HDEL', JOB, 'frames', 'nominal', 'cost', 'start_cost', 'told', 'left', 'closed_by', 'segments',
    'call:replan', 'tries', 'frames_finished', 'after_start', 'attempts:plan:0', 'attempts:package:0', unpack(cjson.decode(ARGV[14])))
  redis.call('ZREM', NOTICES, ID)
  redis.call('ZREM', UNSAVED, ID)
else
  redis.call('ZREM', WAITING, ID)
end
local early, at_work = {}, {}
if to == 'encoding' or ARGV[7] == 'finished_at' then
  early, at_work = end_early(to == 'encoding' and ARGV[16] == '1', ARGV[17])
end
if ARGV[8] ~= '1' then
  redis.call('DEL', LEASES)
end
for name, value in pairs(cjson.decode(ARGV[5])) do
  redis.call('HSET', JOB, name, value)
end
if to == 'encoding' then
  local start_target, after_start = unpack(redis.call('HMGET', JOB, 'start_target', 'after_start'))
  redis.call('HSET', JOB, 'target', string.format('%.6f', start_target + (after_start or 0)))
  keep_early_results(early)
  save_wanted(cjson.decode(ARGV[6]), 0)
  count_early(early, at_work)
end
if ARGV[7] ~= '' then
  redis.call('HSET', JOB, ARGV[7], string.format('%.6f', time))
end
redis.call('HSET', JOB, 'state', to, 'call:' .. to, call)
redis.call('ZREM', names_list(state, owner), cursor)
redis.call('ZADD', names_list(to, owner), 0, cursor)
if to == 'queued' then
  -- Else whoever cancels urgent jobs and starts them again would have any number of them.
  if redis.call('HGET', JOB, 'priority') == 'high' and not may_be_high(owner, ARGV[15]) then
    redis.call('HSET', JOB, 'priority', 'normal')
  end
  note_arrival(time, nil, ARGV[11], ARGV[12], ARGV[13])
  redis.call('ZADD', WAITING, redis.call('HGET', JOB, 'start_target'), ID)
end
if ARGV[7] == 'finished_at' then
  redis.call('ZREM', UNFINISHED, ID)
  redis.call('ZADD', UNSAVED, string.format('%.6f', time), ID)
else
  -- The cursor begins with the creation in microseconds.
  redis.call('ZADD', UNFINISHED, string.format('%.6f', tonumber(string.match(cursor, '^%d+')) / 1000000), ID)
end
local queued_at = tonumber(redis.call('HGET', JOB, 'queued_at') or time)
if ARGV[7] == 'finished_at' and state ~= 'uploading' then
  redis.call('HINCRBY', TOTALS, 'ended', 1)
  redis.call('HINCRBYFLOAT', TOTALS, 'stayed', string.format('%.6f', time - queued_at))
end
if to == 'ready' then
  local encoding_at, nominal, seconds, size, begun_at, promise =
    unpack(redis.call('HMGET', JOB, 'encoding_at', 'nominal', 'encoder_seconds', 'size', 'begun_at', 'promise'))
  if encoding_at and nominal then
    local promised = promise and cjson.decode(promise) or {}
    redis.call('LPUSH', FINISHED, cjson.encode({
      nominal = tonumber(nominal), measured = tonumber(seconds or 0), size = tonumber(size), queued_at = queued_at,
      ready_at = time, begun_at = begun_at and tonumber(begun_at) or nil, promised_start = promised.start_at,
      promised_ready = promised.ready_at,
    }))
    redis.call('LTRIM', FINISHED, 0, tonumber(ARGV[9]) - 1)
  end
end
if ARGV[10] == '1' and type(cjson.decode(redis.call('HGET', JOB, 'intake')).webhook_url) == 'string' then
  redis.call('ZADD', NOTICES, string.format('%.6f', time), ID)
end
if to == 'failed' or to == 'cancelled' then
  redis.call('ZADD', LEFTOVERS, string.format('%.6f', time), ID)
end
recount()
emit_state('state', to)
return {'moved', redis.call('HGETALL', JOB)}
