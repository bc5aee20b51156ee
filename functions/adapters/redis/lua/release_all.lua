-- ARGV: holder, '' for everybody. There are as many leases as tasks being worked on.

local leases, holders = key('leases'), key('holders')
if ARGV[1] == '' then
  redis.call('DEL', leases, holders)
  return
end
local all = redis.call('HGETALL', holders)
for index = 1, #all, 2 do
  if all[index + 1] == ARGV[1] then
    redis.call('ZREM', leases, all[index])
    redis.call('HDEL', holders, all[index])
  end
end
