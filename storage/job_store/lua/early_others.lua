-- Tell whether there is work of whole uploads; stands alone, without common.lua.
-- KEYS: 1 rungs:waiting, 2 rungs:plans, 3 rungs:targets
return redis.call('ZCARD', KEYS[1]) + redis.call('SCARD', KEYS[2]) + redis.call('ZCARD', KEYS[3])
