-- List the task fields of a job that a live attempt holds.
-- Returns an array of fields.
local time, live = now(), {}
for _, field in ipairs(redis.call('HKEYS', LEASES)) do
  local _, ends = lease_of(field)
  if ends > time then
    live[#live + 1] = field
  end
end
return live
