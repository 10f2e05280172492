-- Goes between common.lua and every script that changes a job: its early work, see storage/model/early.py.

local SEGMENT, EARLY_FIELD, EARLY_AUDIO = 'segment:', '^early%-segment:(%d+)$', 'early-audio:0'

-- Count encoder-seconds that were spent in vain. What is older than the time is forgotten with the whole count.
local function note_wasted(owner, seconds, keep_seconds)
  local key = of_owner('wasted', owner)
  redis.call('INCRBYFLOAT', key, string.format('%.3f', seconds))
  if redis.call('TTL', key) < 0 then
    redis.call('EXPIRE', key, keep_seconds)
  end
end

-- The field under which an attempt's task is kept: that of the job's own task once early work has become its own.
local function own_field(field, attempt)
  local index = string.match(field, EARLY_FIELD)
  if index and lease_of(SEGMENT .. index) == attempt then
    return SEGMENT .. index
  end
  return field
end

-- As much of the sound is encoded as can be now. All of it is encoded once more, so what this took was in vain.
local function hear_early(seconds)
  redis.call('ZREM', EARLY_OUT, ID .. ' ' .. EARLY_AUDIO)
  redis.call('HDEL', ATTEMPTS, EARLY_AUDIO)
  redis.call('HINCRBYFLOAT', EARLY, 'heard_seconds', seconds)
end

-- Nothing is done early any more. What was done, and what is at work, becomes the job's own if it is `kept`: the results
-- and leases are returned then, by the fields of its tasks.
local function end_early(kept, keep_seconds)
  local done, leased, spent = {}, {}, 0
  local heard = tonumber(redis.call('HGET', EARLY, 'heard_seconds') or 0)
  redis.call('ZREM', FOLLOWED, ID)
  if redis.call('EXISTS', EARLY) == 0 then
    return done, leased
  end
  for _, field in ipairs(redis.call('HKEYS', DONE)) do
    local index = string.match(field, EARLY_FIELD)
    if index then
      local result = redis.call('HGET', DONE, field)
      spent = spent + (tonumber(cjson.decode(result).seconds or 0) or 0)
      redis.call('HDEL', DONE, field)
      done[SEGMENT .. index] = kept and result or nil
    end
  end
  for _, field in ipairs(redis.call('HKEYS', LEASES)) do
    local index = string.match(field, EARLY_FIELD)
    local attempt, ends = lease_of(field)
    if kept and index and attempt ~= '' and ends > now() then
      leased[SEGMENT .. index] = redis.call('HGET', LEASES, field)
      redis.call('ZREM', EARLY_OUT, ID .. ' ' .. field)
    end
  end
  for _, field in ipairs(redis.call('HKEYS', ATTEMPTS)) do
    if is_early(field) then
      redis.call('HDEL', ATTEMPTS, field)
    end
  end
  redis.call('DEL', EARLY)
  if not kept then
    redis.call('HDEL', JOB, 'playable', 'has_poster')
    redis.call('HDEL', INTERIM, 'audio:0')
  end
  local wasted = heard + (kept and 0 or spent)
  if wasted > 0 then
    note_wasted(redis.call('HGET', JOB, 'owner') or '', wasted, keep_seconds)
  end
  return done, leased
end

-- Before the job's tasks are saved: some of them are done.
local function keep_early_results(done)
  for field, result in pairs(done) do
    redis.call('HSET', DONE, field, result)
  end
end

-- Once they are saved: what is done counts, and what is at work is out.
local function count_early(done, leased)
  local frames, seconds = 0, 0
  for field, result in pairs(done) do
    local own = frames_of(field)
    frames = frames + own
    seconds = seconds + (tonumber(cjson.decode(result).seconds or 0) or 0)
    redis.call('HSET', FRAMES, field, own)
  end
  if frames > 0 then
    redis.call('HSET', JOB, 'frames_done', frames, 'frames_finished', frames, 'encoder_seconds',
      string.format('%.3f', seconds), 'begun_at', string.format('%.6f', now()))
    redis.call('HINCRBYFLOAT', TOTALS, 'delivered', string.format('%.3f', seconds))
  end
  for field, lease in pairs(leased) do
    redis.call('HSET', LEASES, field, lease)
    redis.call('HINCRBY', ATTEMPTS, field, 1)
    redis.call('SADD', OUT, field)
    note_handed(field)
  end
end
