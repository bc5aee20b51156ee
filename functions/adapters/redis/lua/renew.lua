-- ARGV: now, lease, holder, seconds. 1 if the holder still had the lease.

local now = clock(ARGV[1])
local lease = ARGV[2]
local ends = redis.call('ZSCORE', key('leases'), lease)
if not ends or tonumber(ends) <= now then
  return 0
end
if redis.call('HGET', key('holders'), lease) ~= ARGV[3] then
  return 0
end
redis.call('ZADD', key('leases'), exactly(now + tonumber(ARGV[4])), lease)
return 1
