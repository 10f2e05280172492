-- List a job's leases.
-- Returns an array of {task field, attempt, 1 while it holds or 0}.
local time, leases = now(), {}
for _, field in ipairs(redis.call('HKEYS', LEASES)) do
  local attempt, ends = lease_of(field)
  leases[#leases + 1] = {field, attempt, ends > time and 1 or 0}
end
return leases
