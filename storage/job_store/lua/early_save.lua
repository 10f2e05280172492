-- Keep the early plan of a job that is uploading, once.
-- ARGV: 2 its fields (JSON object), see early_issue.lua
-- Returns 1, or 0 where the job is not uploading or has one.
if redis.call('HGET', JOB, 'state') ~= 'uploading' or redis.call('HEXISTS', EARLY, 'plan') == 1 then
  return 0
end
for name, value in pairs(cjson.decode(ARGV[2])) do
  redis.call('HSET', EARLY, name, value)
end
redis.call('HSET', EARLY, 'next', 0)
return 1
