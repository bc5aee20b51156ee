-- ARGV: lease, holder.

if redis.call('HGET', key('holders'), ARGV[1]) == ARGV[2] then
  redis.call('ZREM', key('leases'), ARGV[1])
  redis.call('HDEL', key('holders'), ARGV[1])
end
