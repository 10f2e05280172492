-- Read the work of some jobs at one moment; stands alone, without common.lua.
-- KEYS: none; the jobs' keys are made from the ids
-- ARGV: ids of jobs
-- Returns an array of {id, values of the fields below, {task field, attempt, ...} of the leases that hold, {task field,
-- output frames it still has to make, ...} of the tasks of encoding that are out}; of a job whose record cannot be read
-- the id alone. A job that is gone is left out.
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local found = {}

-- As a rule no more are out, of all jobs together, than the budget of issue.lua has.
local function out_of(id)
  local out = {}
  for _, field in ipairs(redis.call('SMEMBERS', 'rungs:out:' .. id)) do
    local segment = redis.call('HGET', 'rungs:wanted:' .. id, field)
    if segment then
      out[#out + 1] = field
      out[#out + 1] = (cjson.decode(segment).frames or 0) - tonumber(redis.call('HGET', 'rungs:frames:' .. id, field) or 0)
    end
  end
  return out
end

local function work_of(id)
  local values = redis.call('HMGET', 'rungs:job:' .. id, 'owner', 'state', 'size', 'nominal', 'segments', 'frames',
    'frames_done', 'frames_finished', 'encoder_seconds', 'in_flight', 'priority', 'start_target', 'target', 'cost', 'start_cost', 'told')
  local held, leases = {}, redis.call('HGETALL', 'rungs:leases:' .. id)
  for i = 1, #leases, 2 do
    local ends, attempt = string.match(leases[i + 1], '^(%S+) (.*)$')
    if attempt ~= '' and tonumber(ends) > now then
      held[#held + 1] = leases[i]
      held[#held + 1] = attempt
    end
  end
  return {id, values, held, out_of(id)}
end

for _, id in ipairs(ARGV) do
  local readable, work = pcall(work_of, id)
  if not readable or work[2][2] then
    found[#found + 1] = readable and work or {id}
  end
end
return found
