-- ARGV: now, job. What is to be told of each slot that has not run out, as they were given.

local now = clock(ARGV[1])
local all = redis.call('HGETALL', key('job', ARGV[2], 'slots'))
local held = {}
for index = 1, #all, 2 do
  local slot = unpack_slot(all[index + 1])
  if slot.expires_s > now then
    slot.name = all[index]
    table.insert(held, slot)
  end
end
table.sort(held, function(one, other) return one.turn < other.turn end)
local told = {}
for _, slot in ipairs(held) do
  table.insert(told, tell(ARGV[2], slot.name, slot))
end
return told
