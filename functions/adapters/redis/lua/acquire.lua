-- ARGV: now, lease, holder, seconds. 1 if the holder has the lease.

local SWEPT = 20 -- leases that ran out, cleared away on the way: more than one a call, so none pile up

local now = clock(ARGV[1])
local lease, holder = ARGV[2], ARGV[3]
local leases, holders = key('leases'), key('holders')
local ends = redis.call('ZSCORE', leases, lease)
if ends and tonumber(ends) > now and redis.call('HGET', holders, lease) ~= holder then
  return 0
end
local over = redis.call('ZRANGEBYSCORE', leases, '-inf', exactly(now), 'LIMIT', 0, SWEPT)
for _, name in ipairs(over) do
  redis.call('ZREM', leases, name)
  redis.call('HDEL', holders, name)
end
redis.call('ZADD', leases, exactly(now + tonumber(ARGV[4])), lease)
redis.call('HSET', holders, lease, holder)
return 1
