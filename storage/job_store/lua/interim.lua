-- Record what a running task has come to so far.
-- ARGV: 2 task field, 3 attempt, 4 states the stage is wanted in, 5 result so far (JSON object)
-- Returns 1, or 0 when the lease is lost or the task not wanted any more.
local field, attempt = own_field(ARGV[2], ARGV[3]), ARGV[3]
local own = field == EARLY_AUDIO and 'audio:0' or field

if lease_of(field) ~= attempt or not wants(field, ARGV[4]) then
  return 0
end
redis.call('HSET', INTERIM, own, ARGV[5])
emit('task', '{"field":"' .. own .. '"}')
note_playable()
return 1
