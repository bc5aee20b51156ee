-- ARGV: now, job, task, seconds.

local job, name = ARGV[2], ARGV[3]
local slot = find_slot(job, name)
local expires_s = clock(ARGV[1]) + tonumber(ARGV[4])
if slot and slot.expires_s < expires_s then
  slot.expires_s = expires_s
  hold(unpack_place(slot.place, job)[1], job, name, slot)
end
