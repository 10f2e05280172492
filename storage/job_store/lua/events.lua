-- Read events of a job, the oldest first.
-- ARGV: 2 milliseconds and 3 number of the id behind which they come, 4 how many at most; 5 '1' for the last one alone
-- Returns an array of "<id> <type> <data>".
make_events_a_list()
if ARGV[5] == '1' then
  return redis.call('LRANGE', JOB_EVENTS, -1, -1)
end
local after, number, found = tonumber(ARGV[2]), tonumber(ARGV[3]), {}
for _, event in ipairs(redis.call('LRANGE', JOB_EVENTS, 0, -1)) do
  local at, place = string.match(event, '^(%d+)-(%d+) ')
  at, place = tonumber(at), tonumber(place)
  if #found < tonumber(ARGV[4]) and (at > after or (at == after and place > number)) then
    found[#found + 1] = event
  end
end
return found
