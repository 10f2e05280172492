-- Read sums of work (storage/scheduling/work_sums.py); stands alone, without common.lua.
-- KEYS: two for each question: rungs:work and rungs:excess, or those of an owner
-- ARGV: the key of each question, in hexadecimal digits
-- Returns an array of {all work, work before the key, all excess, excess before the key}, in microseconds as text.
local RADIX, LEVELS = 16, 10

local function sum(tree, nodes)
  local total = 0
  if #nodes > 0 and redis.call('EXISTS', tree) == 1 then
    for _, amount in ipairs(redis.call('HMGET', tree, unpack(nodes))) do
      total = total + (tonumber(amount or 0) or 0)
    end
  end
  return string.format('%.0f', total)
end

local function beside(key)
  local nodes = {}
  for length = 1, LEVELS do
    local parent, digit = string.sub(key, 1, length - 1), tonumber(string.sub(key, length, length), 16)
    for lower = 0, digit - 1 do
      nodes[#nodes + 1] = string.format('%s%x', parent, lower)
    end
  end
  return nodes
end

local roots, totals = {}, {}
for digit = 0, RADIX - 1 do
  roots[#roots + 1] = string.format('%x', digit)
end

local function total_of(tree)
  totals[tree] = totals[tree] or sum(tree, roots)
  return totals[tree]
end

local found = {}
for place, key in ipairs(ARGV) do
  local nodes, work, excess = beside(key), KEYS[2 * place - 1], KEYS[2 * place]
  found[place] = {total_of(work), sum(work, nodes), total_of(excess), sum(excess, nodes)}
end
return found
