-- Let an early task be issued again that was issued and not begun: others need the slot.
-- ARGV: 2 task field, 3 its index
redis.call('ZREM', EARLY_OUT, ID .. ' ' .. ARGV[2])
local next_one = redis.call('HGET', EARLY, 'next')
if next_one and tonumber(ARGV[3]) < tonumber(next_one) then
  redis.call('HSET', EARLY, 'next', ARGV[3])
end
return 1
