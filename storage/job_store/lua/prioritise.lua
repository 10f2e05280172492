-- Give an unfinished job another priority; its targets move by the difference of the leads.
-- ARGV: 2 priority, 3 leads (JSON object of seconds), 4 which part of an owner's unfinished jobs may be high, one at least
-- Returns {'set', record}, {'refused', present state} for one that is finished, {'full'} where the owner has as many high
-- ones as may be, or {'unknown'}.
local priority, leads = ARGV[2], cjson.decode(ARGV[3])

local state, before, owner = unpack(redis.call('HMGET', JOB, 'state', 'priority', 'owner'))
if not state then
  return {'unknown'}
end
if redis.call('ZSCORE', UNFINISHED, ID) == false then
  return {'refused', state}
end
if priority == 'high' and not may_be_high(owner, ARGV[4]) then
  return {'full'}
end
local later = leads[before] - leads[priority]
redis.call('HSETNX', JOB, 'unled', redis.call('HGET', JOB, 'start_target'))
for _, name in ipairs({'start_target', 'target'}) do
  redis.call('HSET', JOB, name, string.format('%.6f', redis.call('HGET', JOB, name) + later))
end
for _, list in ipairs({WAITING, TARGETS}) do
  if redis.call('ZSCORE', list, ID) then
    redis.call('ZINCRBY', list, later, ID)
  end
end
redis.call('HSET', JOB, 'priority', priority)
recount()
emit_state('state', state)
return {'set', redis.call('HGETALL', JOB)}
