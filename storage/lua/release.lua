-- Give a lease back.
-- ARGV: 2 task field, 3 attempt, 4 '1' to take the attempt's count back
-- Returns how many attempts are counted now.
local field, attempt = ARGV[2], ARGV[3]

if lease_of(field) == attempt then
  redis.call('HDEL', LEASES, field)
  if ARGV[4] == '1' then
    redis.call('HINCRBY', ATTEMPTS, field, -1)
  end
end
return tonumber(redis.call('HGET', ATTEMPTS, field) or 0)
