-- Give a lease back as if it had never been granted.
-- ARGV: 2 task field, 3 attempt, 4 seconds for which nobody may claim the task
local field, rest = ARGV[2], tonumber(ARGV[4])

if lease_of(field) == ARGV[3] then
  redis.call('HINCRBY', ATTEMPTS, field, -1)
  if rest > 0 then
    note_unhanded(field)
    lend(field, '', rest)
  else
    redis.call('HDEL', LEASES, field)
  end
end
