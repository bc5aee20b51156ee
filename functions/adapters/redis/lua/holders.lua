-- ARGV: now, leases. Lease and holder, in turns, of those that somebody has.

local now = clock(ARGV[1])
local found = {}
for index = 2, #ARGV do
  local ends = redis.call('ZSCORE', key('leases'), ARGV[index])
  if ends and tonumber(ends) > now then
    local holder = redis.call('HGET', key('holders'), ARGV[index])
    if holder then
      table.insert(found, ARGV[index])
      table.insert(found, holder)
    end
  end
end
return found
