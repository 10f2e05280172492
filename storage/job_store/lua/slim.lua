-- Goes between common.lua and every script that changes a job: the slim record of one that ended, see
-- docs/finished-jobs.md.

-- What is packed in the slim record of an ended job: an array that begins with owner, created_at and finished_at.
-- Nothing where the record is whole, or there is none.
local function kept()
  local pieces = {}
  local piece = redis.call('HGET', JOB, '0')
  while piece do
    pieces[#pieces + 1] = piece
    piece = redis.call('HGET', JOB, tostring(#pieces))
  end
  return #pieces > 0 and cjson.decode(table.concat(pieces)) or nil
end

-- When a job with a whole record was created, Unix seconds; earlier versions kept its cursor, which begins with it.
local function created_at()
  local created, cursor = unpack(redis.call('HMGET', JOB, 'created_at', 'cursor'))
  return created and tonumber(created) or tonumber(string.match(cursor, '^%d+')) / 1000000
end

-- Whose the job is, and its place in lists: as storage/job_store/codec.py cursor_of makes it.
local function place_of()
  local packed = kept()
  local owner = packed and packed[1] or redis.call('HGET', JOB, 'owner')
  return owner, string.format('%017.0f:%s', (packed and packed[2] or created_at()) * 1000000, ID)
end

local function finished_at()
  local packed = kept()
  return packed and packed[3] or tonumber(redis.call('HGET', JOB, 'finished_at') or -1)
end

-- Of an ended job's events the slim record keeps the id of the last one, which tells how it ended.
local function keep_last_event()
  make_events_a_list()
  local last = redis.call('LINDEX', JOB_EVENTS, -1)
  redis.call('HSET', JOB, 'last', last and string.match(last, '^%S+') or '0-0')
  redis.call('DEL', JOB_EVENTS)
end

-- Leases of an ended job are not renewed: they tell until when its objects may still be written to.
local function let_leases_run_out()
  local latest = 0
  for _, lease in ipairs(redis.call('HVALS', LEASES)) do
    latest = math.max(latest, tonumber(string.match(lease, '^(%S+) ')))
  end
  if latest > now() then
    redis.call('EXPIRE', LEASES, math.ceil(latest - now()))
  else
    redis.call('DEL', LEASES)
  end
end

-- Put the slim record, packed in `pieces`, in place of an ended job's whole one.
local function slim_down(pieces)
  local state, priority, tries, incomplete, added =
    unpack(redis.call('HMGET', JOB, 'state', 'priority', 'tries', 'incomplete', 'added'))
  redis.call('DEL', JOB, WANTED, FRAMES, DONE, ATTEMPTS, INTERIM)
  redis.call('HSET', JOB, 'state', state)
  for place, piece in ipairs(pieces) do
    redis.call('HSET', JOB, place - 1, piece)
  end
  if priority ~= 'normal' then
    redis.call('HSET', JOB, 'priority', priority)
  end
  if tries then
    redis.call('HSET', JOB, 'tries', tries)
  end
  if incomplete then
    redis.call('HSET', JOB, 'incomplete', incomplete)
  end
  if added then
    redis.call('HSET', JOB, 'added', added)
  end
  keep_last_event()
  let_leases_run_out()
end

-- A job that ended begins again: what is packed makes room for the whole record.
local function forget_kept()
  if redis.call('HEXISTS', JOB, '0') == 1 then
    local priority, added = unpack(redis.call('HMGET', JOB, 'priority', 'added'))
    redis.call('DEL', JOB)
    redis.call('HSET', JOB, 'priority', priority or 'normal')
    if added then
      redis.call('HSET', JOB, 'added', added)
    end
  end
end
