-- Save a job: a new one, one restored with what was done of it, or one whose upload is whole now.
-- ARGV: 2 call token, 3 fields of the record (JSON object), a slim one for a restored end, 4 segments by task field
--       (JSON object of JSON texts),
--       5 '1' if nothing is to be done for the job: it is finished, or uploading, 6 created_at, 7 results by task field
--       (JSON object of JSON texts), 8 when the job was queued ('' for now), 9 '1' if the job's webhook is to be told,
--       10 until when the caller waits (Unix seconds), 11 to 13 step, leads and apart of note_arrival
-- Returns 1, or 0 where another call made a job of this id, unless that one is uploading and this one is not, and -1
-- where the job of this id ended before its upload was whole, or was deleted a moment ago; the error LATE when the
-- caller has given up: what was sent to a frozen Redis is read when it goes on, and a job that was refused is not to
-- appear then.
local call, fields, wanted, results = ARGV[2], cjson.decode(ARGV[3]), cjson.decode(ARGV[4]), cjson.decode(ARGV[7])

local before = redis.call('HGET', JOB, 'state')
local was_uploading = before == 'uploading' and fields.state ~= before
if redis.call('EXISTS', JOB) == 1 and not was_uploading then
  if redis.call('HGET', JOB, 'call:create') == call then
    return 1
  end
  return before ~= 'uploading' and redis.call('HEXISTS', JOB, 'incomplete') == 1 and -1 or 0
end
-- Whoever met the job's upload before it was deleted, or was at its last byte, is not to bring it back.
if redis.call('ZSCORE', LEFTOVERS, ID) then
  return -1
end
if now() > tonumber(ARGV[10]) then
  return redis.error_reply('LATE nobody waits for this job any more')
end
local added = redis.call('HGET', JOB, 'added')
if was_uploading then
  local owner, cursor = place_of()
  redis.call('ZREM', names_list(before, owner), cursor)
  redis.call('DEL', JOB)
end
for name, value in pairs(fields) do
  redis.call('HSET', JOB, name, value)
end
if added then
  redis.call('HSET', JOB, 'added', added)
end
redis.call('HSET', JOB, 'call:create', call)
local owner, cursor = place_of()
redis.call('ZADD', names_list(fields.state, owner), 0, cursor)
if ARGV[5] ~= '1' then
  redis.call('ZADD', UNFINISHED, ARGV[6], ID)
  local restored = tonumber(ARGV[8])
  note_arrival(restored or now(), restored and tonumber(fields.in_flight), ARGV[11], ARGV[12], ARGV[13])
  for field, result in pairs(results) do
    redis.call('HSET', DONE, field, result)
  end
  save_wanted(wanted, tonumber(fields.issued))
  for field in pairs(results) do
    redis.call('HSET', FRAMES, field, frames_of(field))
  end
end
if fields.state == 'uploading' then
  redis.call('ZADD', FOLLOWED, ARGV[6], ID)
elseif fields.state == 'queued' then
  redis.call('ZADD', WAITING, redis.call('HGET', JOB, 'start_target'), ID)
end
if ARGV[9] == '1' then
  redis.call('ZADD', NOTICES, string.format('%.6f', now()), ID)
end
if fields.state == 'failed' or fields.state == 'cancelled' then
  redis.call('ZADD', LEFTOVERS, string.format('%.6f', now()), ID)
end
redis.call('PERSIST', JOB_EVENTS)
-- An upload that is found again in an emptied Redis is no sign that somebody rebuilt it.
if fields.state ~= 'uploading' or ARGV[8] == '' or redis.call('EXISTS', EVENTS) == 1 then
  emit_state(was_uploading and 'state' or 'created', fields.state)
end
if fields['0'] then
  redis.call('HDEL', JOB, 'call:create')
  keep_last_event()
end
if fields.state == 'encoding' or was_uploading then
  note_playable()
end
recount()
return 1
