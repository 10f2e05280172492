-- Goes before every script that changes a job; storage/job_store/redis_scripts.py puts the two together.
--
-- KEYS, the same for each of them:
--    1 rungs:job:<id>         hash    the record, see storage/job_store/codec.py; and for the scripts: owner, size,
--                                     created_at (Unix seconds), frames and nominal (the plan's frames and cost), left
--                                     (tasks of encoding not finished), closed_by (the task finished last), call:<state>
--                                     (the call that made the move), tries (failed ones at its notice), segments (of the
--                                     plan), issued (segments handed to the broker so far, the first ones),
--                                     failed_attempts (JSON, the newest last), queued_at (Unix seconds), frames_finished
--                                     (frames_done of finished tasks), encoder_seconds (that those and other finished
--                                     tasks of encoding took); attempts:<task field>, those granted at the plan and the
--                                     package; in_flight, start_target, after_start and target, the sum of the two (see
--                                     storage/scheduling/fairness.py); unled, the start_target without its lead where it
--                                     has one; cost, start_cost and told, what is expected of it in encoder-seconds (see
--                                     Estimate); incomplete, there where no original is; added, the
--                                     tracks of subtitles that came beside the file (JSON), which a new run keeps. A job whose upload is not whole
--                                     stands in the list of its state alone.
--                                     Once the end of a job is saved the record is slim (storage/job_store/slim_codec.py):
--                                     state, priority unless normal, tries, incomplete, added, last (event id), and the rest
--                                     packed in 0, 1, ...; of the job's other keys only leases may be there then, until
--                                     they run out
--    2 rungs:wanted:<id>      hash    task field -> its segment of the plan as JSON, {} if it makes none; the tasks of
--                                     encoding
--    3 rungs:frames:<id>      hash    task field -> output frames done, the best of all attempts
--    4 rungs:done:<id>        hash    task field -> result as JSON
--    5 rungs:attempts:<id>    hash    task field -> attempts granted, of the tasks of encoding
--    6 rungs:leases:<id>      hash    task field -> "<end in Unix seconds> <attempt>"; no attempt where the task rests
--                                     after one that failed: until then nobody may claim it
--    7 rungs:interim:<id>     hash    task field -> result so far of a running task, as JSON
--    8 rungs:out:<id>         set     fields of the tasks of planning and encoding that are issued and not finished
--    9 rungs:events:<id>      list    the job's events, the oldest first, each "<id> <type> <data>" with its id in the
--                                     stream of all: a stream of its own takes three times the memory of a few events
--   10 rungs:events           stream  the events of all jobs: job, type, data (JSON)
--   11 rungs:waiting          zset    ids of queued jobs by start_target
--   12 rungs:unfinished       zset    ids of unfinished jobs by creation
--   13 rungs:finished         list    what the last ready jobs took (JSON, see FinishedJob), newest first
--   14 rungs:notices          zset    ids of ended jobs whose webhook is still to be told, by when (Unix seconds)
--   15 rungs:leftovers       zset    ids of failed, cancelled and deleted jobs whose made objects are still to be removed,
--                                     by when; while that lies ahead, somebody is removing them or they may be written to
--   16 rungs:unsaved          zset    ids of ended jobs whose end is not in the object store yet, by when they ended
--   17 rungs:totals           hash    arrived and ended: jobs; stayed: seconds that those that ended were there;
--                                     delivered: encoder-seconds of finished tasks; refused:<code>: uploads refused
--   18 rungs:targets          zset    ids of encoding jobs with tasks still to issue, by start_target, and by target once
--                                     their start is issued
--   19 rungs:plans            set     ids of jobs whose plan is issued and neither made nor resting
--   20 rungs:handed           set     "<id> <task field>" of the tasks of encoding that are issued and neither finished
--                                     nor resting
--   21 rungs:counted          hash    id -> what the job counts for in the sums of work (storage/job_store/lua/work_sums.lua)
--   22 rungs:work             hash    node -> microseconds of encoder time, a tree over targets; work_sums.py draws it
--   23 rungs:excess           hash    the same of what the bytes of jobs did not tell
--   24 rungs:figures          hash    waiting: jobs without a picture; waiting_work: microseconds of those
--   25 rungs:owners           zset    owners by the microseconds of their unfinished jobs
--   26 rungs:unbegun          zset    ids of encoding jobs without a picture, by start_target
--   27 rungs:active           set     ids of unfinished jobs with tasks out or lent, or between encoding and their end
--   28 rungs:planned          zset    ids of the last jobs that were created, have a plan and are unfinished, by creation
--   29 rungs:followed, 30 rungs:early-out and 31 rungs:early:<id>: see early_issue.lua
-- Of each owner: rungs:work-of:<owner> and rungs:excess-of:<owner>, trees as those above; rungs:starts-of:<owner>, zset of
-- the unfinished jobs by start_target without its lead; rungs:high-of:<owner>, set of the high ones among them;
-- rungs:wasted-of:<owner>, the encoder-seconds of early work that was in vain, for a while.
-- The lists of jobs (rungs:owned-in:<state>:<owner>: zsets of cursors, all of score 0) are named from the record inside
-- the scripts, so this needs a single Redis, not a cluster. Beside them, written without these scripts: rungs:repairs, a
-- hash of how often the janitor made each repair, and rungs:samples, a list of JSON (see
-- Sample), one for each ten seconds of the last hour, the newest first.
--
-- ARGV[1] is always the job's id.

local JOB, WANTED, FRAMES, DONE, ATTEMPTS, LEASES, INTERIM, OUT = unpack(KEYS, 1, 8)
local JOB_EVENTS, EVENTS, WAITING, UNFINISHED, FINISHED, NOTICES, LEFTOVERS, UNSAVED, TOTALS = unpack(KEYS, 9, 17)
local TARGETS, PLANS, HANDED, COUNTED, WORK, EXCESS, FIGURES, OWNERS, UNBEGUN, ACTIVE, PLANNED = unpack(KEYS, 18, 28)
local FOLLOWED, EARLY_OUT, EARLY = unpack(KEYS, 29)
local ID = ARGV[1]

-- Events kept: of all jobs for watchers that come back after minutes, of one job for a page that was closed meanwhile.
local EVENTS_KEPT, JOB_EVENTS_KEPT = 10000, 500
-- Failed attempts kept: enough to see what goes wrong in a job, few enough to be read with every record.
local FAILED_KEPT = 20

-- Redis' own clock, so that all machines agree about leases.
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) + tonumber(time[2]) / 1000000
end

local function keep_event(id, kind, data)
  redis.call('RPUSH', JOB_EVENTS, id .. ' ' .. kind .. ' ' .. data)
  redis.call('LTRIM', JOB_EVENTS, -JOB_EVENTS_KEPT, -1)
end

-- A job's own events used to be a stream. Whoever meets one makes it a list.
local function make_events_a_list()
  if redis.call('TYPE', JOB_EVENTS).ok ~= 'stream' then
    return
  end
  local entries = redis.call('XRANGE', JOB_EVENTS, '-', '+')
  redis.call('DEL', JOB_EVENTS)
  for _, entry in ipairs(entries) do
    keep_event(entry[1], entry[2][4], entry[2][6])
  end
end

local function emit(kind, data)
  make_events_a_list()
  local id = redis.call('XADD', EVENTS, 'MAXLEN', '~', EVENTS_KEPT, '*', 'job', ID, 'type', kind, 'data', data)
  keep_event(id, kind, data)
end

local function emit_state(kind, state)
  emit(kind, '{"state":"' .. state .. '"}')
end

local function names_list(state, owner)
  return 'rungs:owned-in:' .. state .. ':' .. owner
end

local function of_owner(name, owner)
  return 'rungs:' .. name .. '-of:' .. owner
end

local function is_segment(field)
  return string.sub(field, 1, 8) == 'segment:'
end

-- Where the attempts granted at a task are counted: hash and field. Those at the plan and the package stand in the
-- record, since a hash for one number takes 140 bytes of each job that waits.
local function attempts_at(field)
  if field == 'plan:0' or field == 'package:0' then
    return JOB, 'attempts:' .. field
  end
  return ATTEMPTS, field
end

-- An issued task counts against the budget of those handed out until it is finished, but not while it rests. A message
-- of an earlier run may bring one that is not issued yet: a plan is as good as issued then, the rest will be.
local function note_handed(field)
  if field == 'plan:0' then
    redis.call('SADD', OUT, field)
    redis.call('SADD', PLANS, ID)
  elseif redis.call('SISMEMBER', OUT, field) == 1 then
    redis.call('SADD', HANDED, ID .. ' ' .. field)
  end
end

local function note_unhanded(field)
  if field == 'plan:0' then
    redis.call('SREM', PLANS, ID)
  else
    redis.call('SREM', HANDED, ID .. ' ' .. field)
  end
end

-- Nothing of the job is issued any more, and nothing is to be.
local function take_back()
  redis.call('ZREM', TARGETS, ID)
  for _, field in ipairs(redis.call('SMEMBERS', OUT)) do
    note_unhanded(field)
  end
  redis.call('DEL', OUT)
end

-- Once for each plan: only this, and forgetting a plan, cost more for more segments. A plan that is carried on (restored)
-- has its first `issued` segments out, and then sound, poster and subtitles too.
local function save_wanted(wanted, issued)
  local segments, left = 0, 0
  for field, segment in pairs(wanted) do
    redis.call('HSET', WANTED, field, segment)
    local open = redis.call('HEXISTS', DONE, field) == 0
    left = left + (open and 1 or 0)
    if is_segment(field) then
      segments = segments + 1
    end
    if open and issued > 0 and (not is_segment(field) or tonumber(string.sub(field, 9)) < issued) then
      redis.call('SADD', OUT, field)
    end
  end
  redis.call('HSET', JOB, 'left', left, 'segments', segments, 'issued', issued)
  if issued < segments then
    redis.call('ZADD', TARGETS, redis.call('HGET', JOB, issued == 0 and 'start_target' or 'target'), ID)
  end
end

-- Output frames that a task makes, 0 for one that makes none or is not wanted.
local function frames_of(field)
  local segment = redis.call('HGET', WANTED, field)
  return segment and cjson.decode(segment).frames or 0
end

-- Something can be played from the first segment on, with sound from its first part on.
local function note_playable()
  local early = redis.call('HGET', EARLY, 'audio')
  local first = early and 'early-segment:0' or 'segment:0'
  if redis.call('HEXISTS', JOB, 'playable') == 1 or redis.call('HEXISTS', DONE, first) == 0 then
    return
  end
  local sound = early == '1' or redis.call('HEXISTS', WANTED, 'audio:0') == 1
  if sound and redis.call('HEXISTS', DONE, 'audio:0') + redis.call('HEXISTS', INTERIM, 'audio:0') == 0 then
    return
  end
  redis.call('HSET', JOB, 'playable', 'true')
  emit('playable', '{}')
end

-- Of tasks that are done before the upload is whole.
local function is_early(field)
  return string.sub(field, 1, 6) == 'early-'
end

-- `states` is what the stage is wanted in, as ' queued planning '.
local function wants(field, states)
  local state = redis.call('HGET', JOB, 'state')
  if not state or not string.find(states, ' ' .. state .. ' ', 1, true) then
    return false
  end
  if is_early(field) then
    return field == 'early-plan:0' or redis.call('EXISTS', EARLY) == 1
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

local function is_unfinished()
  return redis.call('ZSCORE', UNFINISHED, ID) ~= false
end

local function lend(field, attempt, seconds)
  redis.call('HSET', LEASES, field, string.format('%.3f %s', now() + tonumber(seconds), attempt))
end

-- Take the task from whoever has it; for `rest` seconds nobody may claim it then. That of an ended job does not rest.
local function end_lease(field, rest)
  redis.call('ZREM', EARLY_OUT, ID .. ' ' .. field)
  if rest > 0 and is_unfinished() then
    note_unhanded(field)
    lend(field, '', rest)
  else
    redis.call('HDEL', LEASES, field)
  end
end

local function failed_attempts()
  return cjson.decode(redis.call('HGET', JOB, 'failed_attempts') or '[]')
end

-- Record that an attempt came to nothing; `reason` is JSON with code and message.
local function note_failure(field, attempt, reason)
  local failed, said = failed_attempts(), cjson.decode(reason)
  failed[#failed + 1] = {task = field, attempt = attempt, at = now(), code = said.code, message = said.message}
  if #failed > FAILED_KEPT then
    table.remove(failed, 1)
  end
  redis.call('HSET', JOB, 'failed_attempts', cjson.encode(failed))
end

-- Forget what is kept of segments in a hash by task field.
local function forget_segments(hash)
  for _, field in ipairs(redis.call('HKEYS', hash)) do
    if is_segment(field) then
      redis.call('HDEL', hash, field)
    end
  end
end

-- Whether one more job of an owner may be high: `share` of the unfinished ones, this one included, and one at least.
local function may_be_high(owner, share)
  local starts, urgent = of_owner('starts', owner), of_owner('high', owner)
  local count = redis.call('ZCARD', starts) + (redis.call('ZSCORE', starts, ID) and 0 or 1)
  local high = redis.call('SCARD', urgent) - redis.call('SISMEMBER', urgent, ID)
  return high < math.max(1, math.floor(count * tonumber(share)))
end

-- A job comes in, or back in, at `since` (Unix seconds). Its start is to come `step` seconds later for each time that it
-- is in flight, and by its priority's lead (of JSON `leads`, in seconds) earlier. In flight is as
-- storage/scheduling/fairness.py in_flight_after says, with starts `apart` seconds, unless it is `known`.
local function note_arrival(since, known, step, leads, apart)
  leads = cjson.decode(leads)
  local owner, priority = unpack(redis.call('HMGET', JOB, 'owner', 'priority'))
  local starts = of_owner('starts', owner)
  local in_flight, latest = redis.call('ZCARD', starts) + 1, redis.call('ZREVRANGE', starts, 0, 0, 'WITHSCORES')[2]
  if latest then
    in_flight = math.max(in_flight, (latest + apart - since) / step)
  end
  in_flight = known or in_flight
  local unled = string.format('%.6f', since + step * in_flight)
  local start_target = string.format('%.6f', unled - leads[priority])
  redis.call('HSET', JOB, 'queued_at', string.format('%.6f', now()), 'in_flight', string.format('%.14g', in_flight),
    'start_target', start_target)
  if unled == start_target then
    redis.call('HDEL', JOB, 'unled')
  else
    redis.call('HSET', JOB, 'unled', unled)
  end
  redis.call('HSETNX', JOB, 'target', start_target)
  redis.call('HINCRBY', TOTALS, 'arrived', 1)
end

local function count_frames(field, frames)
  local best = math.min(math.max(frames, 0), frames_of(field))
  local gained = best - tonumber(redis.call('HGET', FRAMES, field) or 0)
  if gained <= 0 then
    return
  end
  redis.call('HSET', FRAMES, field, best)
  redis.call('HSETNX', JOB, 'begun_at', string.format('%.6f', now()))
  local total = redis.call('HINCRBY', JOB, 'frames_done', gained)
  local planned = redis.call('HGET', JOB, 'frames') or '0'
  emit('progress', string.format('{"frames_done":%d,"frames":%s}', total, planned))
end
