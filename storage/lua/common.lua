-- Goes before every script that changes a job; storage/redis_jobs.py puts the two together.
--
-- KEYS, the same for each of them:
--    1 rungs:job:<id>         hash    the record, see storage/codec.py; and for the scripts: owner, cursor (the job's
--                                     place in lists), frames and duration (of the plan), left (tasks of encoding not
--                                     finished), closed_by (the task finished last), call:<state> (the call that made
--                                     the move), tries (failed ones at its notice), segments (of the plan), issued
--                                     (segments handed to the broker so far, the first ones), segments_done
--    2 rungs:wanted:<id>      hash    task field -> output frames it makes; the tasks of encoding
--    3 rungs:frames:<id>      hash    task field -> output frames done, the best of all attempts
--    4 rungs:done:<id>        hash    task field -> result as JSON
--    5 rungs:attempts:<id>    hash    task field -> attempts granted
--    6 rungs:leases:<id>      hash    task field -> "<end in Unix seconds> <attempt>"
--    7 rungs:events:<id>      stream  the job's events, with the ids of the stream of all
--    8 rungs:events           stream  the events of all jobs: job, type, data (JSON)
--    9 rungs:waiting          zset    ids of queued jobs by the time they were queued
--   10 rungs:unfinished       zset    ids of unfinished jobs by creation
--   11 rungs:rates            list    seconds of work per second of video of the last ready jobs, newest first
--   12 rungs:notices          zset    ids of ended jobs whose webhook is still to be told, by when (Unix seconds)
--   13 rungs:interim:<id>    hash    task field -> result so far of a running task, as JSON
-- The lists of jobs (rungs:owned:<owner>, rungs:owned-in:<state>:<owner>: zsets of cursors, all of score 0) are named
-- from the record inside the scripts, so this needs a single Redis, not a cluster.
--
-- ARGV[1] is always the job's id.

local JOB, WANTED, FRAMES, DONE, ATTEMPTS, LEASES = unpack(KEYS, 1, 6)
local JOB_EVENTS, EVENTS, WAITING, UNFINISHED, RATES, NOTICES, INTERIM = unpack(KEYS, 7)
local ID = ARGV[1]

-- Events kept: of all jobs for watchers that come back after minutes, of one job for a page that was closed meanwhile.
local EVENTS_KEPT, JOB_EVENTS_KEPT = 10000, 500

-- Redis' own clock, so that all machines agree about leases.
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) + tonumber(time[2]) / 1000000
end

local function emit(kind, data)
  local id = redis.call('XADD', EVENTS, 'MAXLEN', '~', EVENTS_KEPT, '*', 'job', ID, 'type', kind, 'data', data)
  redis.call('XADD', JOB_EVENTS, 'MAXLEN', '~', JOB_EVENTS_KEPT, id, 'job', ID, 'type', kind, 'data', data)
end

local function emit_state(kind, state)
  emit(kind, '{"state":"' .. state .. '"}')
end

local function names_list(state, owner)
  return 'rungs:owned-in:' .. state .. ':' .. owner
end

local function is_segment(field)
  return string.sub(field, 1, 8) == 'segment:'
end

local function save_wanted(wanted)
  local segments, left = 0, 0
  for field, frames in pairs(wanted) do
    redis.call('HSET', WANTED, field, frames)
    segments = segments + (is_segment(field) and 1 or 0)
    left = left + 1 - redis.call('HEXISTS', DONE, field)
  end
  redis.call('HSET', JOB, 'left', left, 'segments', segments, 'issued', 0, 'segments_done', 0)
end

-- Something can be played from the first segment on, with sound from its first part on.
local function note_playable()
  if redis.call('HEXISTS', JOB, 'playable') == 1 or redis.call('HEXISTS', DONE, 'segment:0') == 0 then
    return
  end
  local sound = redis.call('HEXISTS', WANTED, 'audio:0') == 1
  if sound and redis.call('HEXISTS', DONE, 'audio:0') + redis.call('HEXISTS', INTERIM, 'audio:0') == 0 then
    return
  end
  redis.call('HSET', JOB, 'playable', 'true')
  emit('playable', '{}')
end

-- `states` is what the stage is wanted in, as ' queued planning '.
local function wants(field, states)
  local state = redis.call('HGET', JOB, 'state')
  if not state or not string.find(states, ' ' .. state .. ' ', 1, true) then
    return false
  end
  return state ~= 'encoding' or redis.call('HEXISTS', WANTED, field) == 1
end

-- Who was granted the task last, and until when in Unix seconds.
local function lease_of(field)
  local lease = redis.call('HGET', LEASES, field)
  if not lease then
    return nil, 0
  end
  local ends, attempt = string.match(lease, '^(%S+) (.*)$')
  return attempt, tonumber(ends)
end

local function lend(field, attempt, seconds)
  redis.call('HSET', LEASES, field, string.format('%.3f %s', now() + tonumber(seconds), attempt))
end

local function count_frames(field, frames)
  local best = math.min(math.max(frames, 0), tonumber(redis.call('HGET', WANTED, field) or 0))
  local gained = best - tonumber(redis.call('HGET', FRAMES, field) or 0)
  if gained <= 0 then
    return
  end
  redis.call('HSET', FRAMES, field, best)
  local total = redis.call('HINCRBY', JOB, 'frames_done', gained)
  local planned = redis.call('HGET', JOB, 'frames') or '0'
  emit('progress', string.format('{"frames_done":%d,"frames":%s}', total, planned))
end
