-- Give a lease back as if it had never been granted.
-- ARGV: 2 task field, 3 attempt, 4 seconds for which nobody may claim the task
local field = own_field(ARGV[2], ARGV[3])

if lease_of(field) == ARGV[3] then
  local counts, name = attempts_at(field)
  if redis.call('HEXISTS', counts, name) == 1 then
    redis.call('HINCRBY', counts, name, -1)
  end
  end_lease(field, tonumber(ARGV[4]))
end
