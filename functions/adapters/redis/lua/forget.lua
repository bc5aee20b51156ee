-- ARGV: job.

local job = ARGV[1]
local slots = redis.call('HGETALL', key('job', job, 'slots'))
for index = 1, #slots, 2 do
  local slot = unpack_slot(slots[index + 1])
  let_go(unpack_place(slot.place, job)[1], job, slots[index], slot)
end
for _, packed in ipairs(redis.call('HKEYS', key('job', job, 'places'))) do
  local place = unpack_place(packed, job)
  redis.call('UNLINK', node(place, 5))
  close_place(place, 5)
end
for _, generation in ipairs(redis.call('SMEMBERS', key('job', job, 'generations'))) do
  redis.call('UNLINK', key('job', job, 'done', generation))
end
for _, part in ipairs({'waiting', 'slots', 'long', 'places', 'generations', 'progress'}) do
  redis.call('UNLINK', key('job', job, part))
end
