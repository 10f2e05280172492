-- Prolong a lease. One that ran out while nobody else claimed the task begins again.
-- ARGV: 2 task field, 3 attempt, 4 states the stage is wanted in, 5 seconds of the lease
-- Returns 1, or 0 when the lease is lost or the task not wanted any more.
local field, attempt = own_field(ARGV[2], ARGV[3]), ARGV[3]

if lease_of(field) ~= attempt or not wants(field, ARGV[4]) then
  return 0
end
lend(field, attempt, ARGV[5])
return 1
