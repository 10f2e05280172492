-- Goes between common.lua and every script that changes a job: what the job counts for in the sums of work, see
-- storage/scheduling/work_sums.py. Every script that changes what a job counts for ends with recount().

local RADIX, LEVELS, TICKS = 16, 10, 16
local PLANNED_KEPT = 20  -- storage/scheduling/costs.py CALIBRATED_BY
local LAST_KEY = RADIX ^ LEVELS - 1
local MICROSECONDS = 1000000

-- A number of a record; nonsense counts for nothing, as sums of all jobs must not break for one.
local function amount_of(text)
  local amount = tonumber(text or 0) or 0
  return amount > -1e12 and amount < 1e12 and amount or 0
end

-- The key of a target in Unix seconds, in so many hexadecimal digits.
local function key_of(target)
  return string.format('%010x', math.max(0, math.min(LAST_KEY, math.floor(amount_of(target) * TICKS))))
end

local function whole(seconds)
  return math.floor(seconds * MICROSECONDS + 0.5)
end

local function add_at(tree, key, amount)
  if amount == 0 then
    return
  end
  amount = string.format('%.0f', amount)
  for length = 1, #key do  -- of old ones, whose keys had more digits, too
    local node = string.sub(key, 1, length)
    if redis.call('HINCRBY', tree, node, amount) == 0 then
      redis.call('HDEL', tree, node)
    end
  end
end

local function move_in(tree, key, amount, to_key, to_amount)
  if key == to_key then
    add_at(tree, key, to_amount - amount)
  else
    add_at(tree, key, -amount)
    add_at(tree, to_key, to_amount)
  end
end

-- What a job counts for: numbers, its owner, and whether it waits for its first picture. Nothing of a job that ended, or
-- whose record is gone.
local function pieces_now()
  local owner, state, frames, done, cost, start_cost, told, start_target, target = unpack(redis.call('HMGET', JOB, 'owner',
    'state', 'frames', 'frames_done', 'cost', 'start_cost', 'told', 'start_target', 'target'))
  if not (owner and state and start_target and target) or not is_unfinished() then
    return nil
  end
  frames, done, cost = amount_of(frames), amount_of(done), amount_of(cost)
  local part = state == 'packaging' and 0 or frames > 0 and 1 - math.min(1, done / frames) or 1
  local waits = done == 0 and state ~= 'packaging'
  local left = whole(cost * part)
  local start = waits and math.min(left, whole(amount_of(start_cost))) or 0
  local known = math.max(math.min(left, whole(amount_of(told) * part)), start)
  return {owner = owner, waits = waits, start_key = key_of(start_target), start = start, target_key = key_of(target),
    rest = left - start, excess = left - known}
end

local NOTHING = {waits = false, start_key = '', start = 0, target_key = '', rest = 0, excess = 0}

local function pieces_counted()
  local told = redis.call('HGET', COUNTED, ID)
  if not told then
    return nil
  end
  local waits, start_key, start, target_key, rest, excess, owner = string.match(told, '^(%d) (%S+) (%S+) (%S+) (%S+) (%S+) (.*)$')
  return {owner = owner, waits = waits == '1', start_key = start_key, start = tonumber(start), target_key = target_key,
    rest = tonumber(rest), excess = tonumber(excess)}
end

local function change_trees(work, excess, old, new)
  move_in(work, old.start_key, old.start, new.start_key, new.start)
  move_in(work, old.target_key, old.rest, new.target_key, new.rest)
  move_in(excess, old.target_key, old.excess, new.target_key, new.excess)
end

local function change_total(set, owner, amount)
  if amount ~= 0 and tonumber(redis.call('ZINCRBY', set, string.format('%.0f', amount), owner)) == 0 then
    redis.call('ZREM', set, owner)
  end
end

local function change_figure(name, amount)
  if amount ~= 0 then
    redis.call('HINCRBY', FIGURES, name, string.format('%.0f', amount))
  end
end

local function put_in(set, score, there)
  if there then
    redis.call('ZADD', set, string.format('%.6f', score), ID)
  else
    redis.call('ZREM', set, ID)
  end
end

-- The indices that stand beside the sums: what is small is found without looking at all jobs.
local function index(owner, new)
  local state, priority, unled, start_target, left, nominal = unpack(redis.call('HMGET', JOB, 'state', 'priority',
    'unled', 'start_target', 'left', 'nominal'))
  put_in(of_owner('starts', owner), amount_of(unled or start_target), new)
  put_in(UNBEGUN, amount_of(start_target), new and new.waits and state == 'encoding')
  put_in(PLANNED, new and nominal and created_at() * MICROSECONDS, new and nominal)
  redis.call('ZREMRANGEBYRANK', PLANNED, 0, -1 - PLANNED_KEPT)
  local moves = state == 'packaging' or (state == 'encoding' and left == '0') or redis.call('SCARD', OUT) > 0
    or redis.call('HLEN', LEASES) > 0
  redis.call(new and moves and 'SADD' or 'SREM', ACTIVE, ID)
  redis.call(new and priority == 'high' and 'SADD' or 'SREM', of_owner('high', owner), ID)
end

-- Put what the job counts for now in place of what it counted for.
local function recount()
  local old, new = pieces_counted(), pieces_now()
  local owner = (new or old or {}).owner
  if not owner then
    redis.call('SREM', ACTIVE, ID)
    return
  end
  local before, after = old or NOTHING, new or NOTHING
  change_trees(WORK, EXCESS, before, after)
  change_trees(of_owner('work', owner), of_owner('excess', owner), before, after)
  change_total(OWNERS, owner, after.start + after.rest - before.start - before.rest)
  change_figure('waiting', (after.waits and 1 or 0) - (before.waits and 1 or 0))
  change_figure('waiting_work', (after.waits and after.start + after.rest or 0)
    - (before.waits and before.start + before.rest or 0))
  if new then
    redis.call('HSET', COUNTED, ID, string.format('%d %s %.0f %s %.0f %.0f %s', new.waits and 1 or 0, new.start_key, new.start,
      new.target_key, new.rest, new.excess, owner))
  else
    redis.call('HDEL', COUNTED, ID)
  end
  index(owner, new)
end
