-- Hand out early tasks for slots that would be idle; stands alone, without common.lua.
-- KEYS: 1 rungs:waiting, 2 rungs:plans, 3 rungs:targets, 4 rungs:handed, 5 rungs:followed  zset  uploads by creation,
--       6 rungs:early-out  zset  "<id> <task field>" of early tasks that are issued and not over, by when they count as
--       lost (Unix seconds), 7 rungs:uploads
-- ARGV: 1 slots, 2 seconds after which a task counts as lost, 3 bytes of the first look at an upload, 4 factor of each
--       further one, 5 uploads looked at, 6 encoder-seconds that an owner may waste
-- Returns an array of {job id, task field}. Keys of jobs are made from the ids:
--   rungs:early:<id>  hash  plan, index (JSON) and for each segment segment:<n> (JSON) and need:<n> (bytes); next, the
--                           first segment that is not issued; looked, the bytes that had come at the last look for a
--                           plan; audio, '1' where there is sound; heard, the bytes that had come when its encoding was
--                           issued last; heard_seconds, what that took in all
local WAITING, PLANS, TARGETS, HANDED, FOLLOWED, OUT, UPLOADS = unpack(KEYS)
local slots, lost, first_look, factor, most, wasteful = unpack(ARGV)
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local handed = {}

if redis.call('ZCARD', WAITING) + redis.call('SCARD', PLANS) + redis.call('ZCARD', TARGETS) > 0 then
  return handed
end
redis.call('ZREMRANGEBYSCORE', OUT, '-inf', string.format('%.3f', now))
local free = tonumber(slots) - redis.call('SCARD', HANDED) - redis.call('ZCARD', OUT)

local function hand_out(id, field)
  redis.call('ZADD', OUT, string.format('%.3f', now + tonumber(lost)), id .. ' ' .. field)
  handed[#handed + 1] = {id, field}
  free = free - 1
end

local planning = false
for _, task in ipairs(redis.call('ZRANGE', OUT, 0, -1)) do
  planning = planning or string.match(task, ' early%-plan:0$') ~= nil
end

-- A plan is wanted again when much more has come than at the last look. One is made at a time: who plans whole uploads
-- is not to be kept by several.
local function look(id, early, size)
  if planning then
    return
  end
  local looked = tonumber(redis.call('HGET', early, 'looked') or 0)
  if size >= math.max(tonumber(first_look), looked * tonumber(factor)) then
    redis.call('HSET', early, 'looked', string.format('%.0f', size))
    hand_out(id, 'early-plan:0')
    planning = true
  end
end

local function hand_out_segments(id, early, size)
  while free > 0 do
    local next_one = redis.call('HGET', early, 'next')
    local need = tonumber(redis.call('HGET', early, 'need:' .. next_one))
    if not need or need > size then
      return
    end
    redis.call('HINCRBY', early, 'next', 1)
    hand_out(id, 'early-segment:' .. next_one)
  end
end

-- The sound is encoded anew, as far as it goes, when much more has come. What is encoded once more is the same. Not where
-- it is brought to a loudness: what does that is known only once all of it is.
local function hand_out_audio(id, early, size)
  local next_one, audio, heard = unpack(redis.call('HMGET', early, 'next', 'audio', 'heard'))
  local due = audio == '1' and tonumber(next_one) > 0 and size >= tonumber(heard or 0) * tonumber(factor)
  if free > 0 and due and not redis.call('ZSCORE', OUT, id .. ' early-audio:0') then
    redis.call('HSET', early, 'heard', string.format('%.0f', size))
    if type(cjson.decode(redis.call('HGET', 'rungs:job:' .. id, 'intake')).loudness) ~= 'number' then
      hand_out(id, 'early-audio:0')
    end
  end
end

local function visit(id)
  local state, owner = unpack(redis.call('HMGET', 'rungs:job:' .. id, 'state', 'owner'))
  local upload = redis.call('HGET', UPLOADS, id)
  if state ~= 'uploading' then
    redis.call('ZREM', FOLLOWED, id)
  elseif upload and tonumber(redis.call('GET', 'rungs:wasted-of:' .. owner) or 0) < tonumber(wasteful) then
    local early, size = 'rungs:early:' .. id, cjson.decode(upload).size
    if redis.call('HEXISTS', early, 'plan') == 1 then
      hand_out_audio(id, early, size)
      hand_out_segments(id, early, size)
    else
      look(id, early, size)
    end
  end
end

for _, id in ipairs(redis.call('ZRANGE', FOLLOWED, 0, most - 1)) do
  if free <= 0 then
    break
  end
  if not pcall(visit, id) then
    -- What is kept of it is spoiled: it must not stand in front of the others.
    redis.call('ZREM', FOLLOWED, id)
  end
end
return handed
