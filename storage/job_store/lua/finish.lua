-- Record a task's result and end its lease; once.
-- ARGV: 2 task field, 3 attempt, 4 states the stage is wanted in, 5 result (JSON object), 6 the event that
--       tells of what it made ('' for none but that it is finished), 7 seconds that it took, 8 fields of the record that
--       it sets (JSON object of JSON texts)
-- Returns 'last' when it was the last task of encoding, 'done' when it was not, 'lost' when it is not the attempt's.
local field, attempt = own_field(ARGV[2], ARGV[3]), ARGV[3]

local function tell(event, fields)
  for name, value in pairs(cjson.decode(fields)) do
    redis.call('HSET', JOB, name, value)
  end
  if event ~= '' then
    emit(event, '{}')
  end
end

if redis.call('HEXISTS', DONE, field) == 0 then
  if lease_of(field) ~= attempt or not wants(field, ARGV[4]) then
    return 'lost'
  end
  redis.call('HDEL', LEASES, field)
  if field == EARLY_AUDIO then
    hear_early(ARGV[7])
    return 'done'
  end
  redis.call('HSET', DONE, field, ARGV[5])
  if is_early(field) then
    redis.call('ZREM', EARLY_OUT, ID .. ' ' .. field)
    tell(ARGV[6], ARGV[8])
    note_playable()
    return 'done'
  end
  redis.call('HDEL', INTERIM, field)
  note_unhanded(field)
  redis.call('SREM', OUT, field)
  if redis.call('HEXISTS', WANTED, field) == 1 then
    count_frames(field, frames_of(field))
    redis.call('HINCRBY', JOB, 'frames_finished', frames_of(field))
    redis.call('HINCRBYFLOAT', JOB, 'encoder_seconds', ARGV[7])
    redis.call('HINCRBYFLOAT', TOTALS, 'delivered', ARGV[7])
    if redis.call('HINCRBY', JOB, 'left', -1) == 0 then
      redis.call('HSET', JOB, 'closed_by', field)
    end
  end
  -- Early work that has become the job's own says nothing of a poster: the job's own is being made.
  if field == ARGV[2] then
    tell(ARGV[6], ARGV[8])
  end
  if field ~= ARGV[2] or ARGV[6] == '' then
    emit('task', '{"field":"' .. field .. '"}')
  end
  note_playable()
  recount()
  redis.call('SADD', ACTIVE, ID)  -- the janitor estimates by what the task took, and takes the job out again
end
return redis.call('HGET', JOB, 'closed_by') == field and 'last' or 'done'
