-- Hand out the next tasks of all jobs, those of the earliest target first, as long as fewer than the budgets are out;
-- stands alone, without common.lua.
-- KEYS: 1 rungs:waiting, 2 rungs:plans, 3 rungs:targets, 4 rungs:handed, 5 rungs:active
-- ARGV: 1 budget of plans, 2 budget of tasks of encoding
-- Returns an array of {job id, task field}. A call whose answer was lost is mended by the janitor, who finds issued tasks
-- that are nowhere. Keys of jobs are made from the ids.
local WAITING, PLANS, TARGETS, HANDED, ACTIVE = unpack(KEYS)
local plans, tasks = tonumber(ARGV[1]), tonumber(ARGV[2])
local handed = {}

local function hand_out(id, field)
  if redis.call('HEXISTS', 'rungs:done:' .. id, field) == 0 and redis.call('SADD', 'rungs:out:' .. id, field) == 1 then
    handed[#handed + 1] = {id, field}
    redis.call('SADD', ACTIVE, id)
    return true
  end
  return false
end

local function hand_out_encoding(id, field)
  if redis.call('HEXISTS', 'rungs:wanted:' .. id, field) == 1 and hand_out(id, field) then
    redis.call('SADD', HANDED, id .. ' ' .. field)
  end
end

-- Those whose plan is issued already may stand among the first ones.
local planning = redis.call('SCARD', PLANS)
if planning < plans then
  for _, id in ipairs(redis.call('ZRANGE', WAITING, 0, plans - 1)) do
    if planning < plans and hand_out(id, 'plan:0') then
      redis.call('SADD', PLANS, id)
      planning = planning + 1
    end
  end
end

local function hand_out_next(id)
  local job = 'rungs:job:' .. id
  local segments, issued, target = unpack(redis.call('HMGET', job, 'segments', 'issued', 'target'))
  hand_out_encoding(id, 'segment:' .. issued)
  if issued == '0' then
    -- Playback waits for the first segment, then for the sound.
    hand_out_encoding(id, 'audio:0')
    hand_out_encoding(id, 'poster:0')
    hand_out_encoding(id, 'subtitles:0')
    redis.call('ZADD', TARGETS, target, id)
  end
  if redis.call('HINCRBY', job, 'issued', 1) >= tonumber(segments) then
    redis.call('ZREM', TARGETS, id)
  end
end

while redis.call('SCARD', HANDED) < tasks do
  local id = redis.call('ZRANGE', TARGETS, 0, 0)[1]
  if not id then
    break
  end
  if not pcall(hand_out_next, id) then
    -- Its record is gone or spoiled: it must not stand in front of all others for ever.
    redis.call('ZREM', TARGETS, id)
  end
end
return handed
