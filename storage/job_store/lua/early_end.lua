-- Throw away a job's early plan and what was done by it.
-- ARGV: 2 seconds for which it is kept how much an owner wastes
end_early(false, ARGV[2])
return 1
