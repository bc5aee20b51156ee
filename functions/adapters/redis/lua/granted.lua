-- ARGV: now, accelerator. What is to be told of each slot that has not run out, as they were given.

local now, accelerator = clock(ARGV[1]), ARGV[2]
local held = {}
for _, text in ipairs(redis.call('ZRANGE', key('slots', accelerator), 0, -1)) do
  local job, name = referred(text)
  local slot = find_slot(job, name)
  if slot and slot.expires_s > now then
    slot.job, slot.name = job, name
    table.insert(held, slot)
  end
end
table.sort(held, function(one, other) return one.turn < other.turn end)
local told = {}
for _, slot in ipairs(held) do
  table.insert(told, tell(slot.job, slot.name, slot))
end
return told
