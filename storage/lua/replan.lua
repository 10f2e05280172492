-- Replace the plan of a job that is encoding; sound and poster that are done stay, everything of segments is forgotten.
-- ARGV: 2 call token, 3 fields to write (JSON object), 4 frames by task field (JSON object)
-- Returns 1, or 0 when the job is not encoding.
local state, call = unpack(redis.call('HMGET', JOB, 'state', 'call:replan'))
if state ~= 'encoding' then
  return 0
end
if call == ARGV[2] then
  return 1
end
for _, field in ipairs(redis.call('HKEYS', DONE)) do
  if is_segment(field) then
    redis.call('HDEL', DONE, field)
  end
end
redis.call('DEL', WANTED, FRAMES, ATTEMPTS, LEASES)
redis.call('HDEL', JOB, 'playable', 'closed_by')
redis.call('HSET', JOB, 'frames_done', 0, 'call:replan', ARGV[2])
for name, value in pairs(cjson.decode(ARGV[3])) do
  redis.call('HSET', JOB, name, value)
end
save_wanted(cjson.decode(ARGV[4]))
emit_state('state', state)
return 1
