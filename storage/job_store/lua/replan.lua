-- Replace the plan of a job that is encoding; everything of segments is forgotten, sound, poster and subtitles go on.
-- ARGV: 2 call token, 3 fields to write (JSON object), 4 segments by task field (JSON object of JSON texts)
-- Returns 1, or 0 when the job is not encoding.
local state, call = unpack(redis.call('HMGET', JOB, 'state', 'call:replan'))
if state ~= 'encoding' then
  return 0
end
if call == ARGV[2] then
  return 1
end
for _, hash in ipairs({DONE, ATTEMPTS, LEASES}) do
  forget_segments(hash)
end
for _, field in ipairs(redis.call('SMEMBERS', OUT)) do
  if is_segment(field) then
    note_unhanded(field)
    redis.call('SREM', OUT, field)
  end
end
redis.call('DEL', WANTED, FRAMES)
redis.call('HDEL', JOB, 'playable', 'closed_by', 'warnings')
redis.call('HSET', JOB, 'frames_done', 0, 'frames_finished', 0, 'encoder_seconds', 0, 'call:replan', ARGV[2])
for name, value in pairs(cjson.decode(ARGV[3])) do
  redis.call('HSET', JOB, name, value)
end
save_wanted(cjson.decode(ARGV[4]), 0)
recount()
emit_state('state', state)
return 1
