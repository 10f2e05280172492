-- End a lease without a result; the attempt stays counted. The record of a job that has ended stays as it ended.
-- ARGV: 2 task field, 3 attempt, 4 reason (JSON object), 5 seconds for which nobody may claim the task
-- Returns 1, or 0 when the lease is not the attempt's any more. A call that is sent again, because its answer was lost,
-- is told 1.
local field, attempt = own_field(ARGV[2], ARGV[3]), ARGV[3]

if lease_of(field) ~= attempt then
  local code = cjson.decode(ARGV[4]).code
  for _, failed in ipairs(failed_attempts()) do
    if failed.task == field and failed.attempt == attempt and failed.code == code then
      return 1
    end
  end
  return 0
end
if is_unfinished() then
  note_failure(field, attempt, ARGV[4])
end
end_lease(field, tonumber(ARGV[5]))
return 1
