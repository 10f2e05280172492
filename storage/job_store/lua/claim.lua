-- Decide whether an attempt may work on a task, and lend it to the attempt if so.
-- ARGV: 2 task field, 3 attempt, 4 states the stage is wanted in, 5 seconds of the lease, 6 limit of attempts,
--       7 what is recorded of an attempt whose lease ran out (JSON object)
-- Returns 'granted', 'held', 'done', 'obsolete' or 'spent'.
local field, attempt = ARGV[2], ARGV[3]

if not wants(field, ARGV[4]) then
  return 'obsolete'
end
-- Plan and package are over when the job moves on, so a result alone does not end them.
if redis.call('HEXISTS', DONE, field) == 1 and (is_early(field) or redis.call('HEXISTS', WANTED, field) == 1) then
  return 'done'
end
local holder, ends = lease_of(field)
if holder ~= attempt then
  if holder and ends > now() then
    return 'held'
  end
  if holder and holder ~= '' then
    note_failure(field, holder, ARGV[7])
  end
  redis.call('HDEL', LEASES, field)
  if tonumber(redis.call('HGET', attempts_at(field)) or 0) >= tonumber(ARGV[6]) then
    return 'spent'
  end
  local counts, name = attempts_at(field)
  redis.call('HINCRBY', counts, name, 1)
end
if not is_early(field) then
  note_handed(field)
  redis.call('SADD', ACTIVE, ID)
end
lend(field, attempt, ARGV[5])
return 'granted'
