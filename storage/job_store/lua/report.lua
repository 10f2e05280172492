-- Record how many frames of a segment an attempt has done.
-- ARGV: 2 task field, 3 attempt, 4 states the stage is wanted in, 5 frames
-- Returns 1, or 0 when the lease is lost or the task not wanted any more.
local field, attempt = own_field(ARGV[2], ARGV[3]), ARGV[3]

if lease_of(field) ~= attempt or not wants(field, ARGV[4]) then
  return 0
end
count_frames(field, tonumber(ARGV[5]))
recount()
return 1
