-- Spend a job's credit: hand out its next segments as long as fewer than the window are out.
-- ARGV: 2 window
-- Returns the first segment handed out and how many; a call whose answer was lost is mended by the janitor, who finds
-- issued segments that are nowhere.
local state, segments, issued, done = unpack(redis.call('HMGET', JOB, 'state', 'segments', 'issued', 'segments_done'))
if state ~= 'encoding' then
  return {0, 0}
end
local out = issued - done
local count = math.max(0, math.min(tonumber(ARGV[2]) - out, segments - issued))
if count > 0 then
  redis.call('HINCRBY', JOB, 'issued', count)
end
return {tonumber(issued), count}
