-- ARGV: now, accelerator, cause, limit, seconds. What is to be told of each slot that this cause was
-- granted, in the order in which they were given.

local now = clock(ARGV[1])
local accelerator, cause, limit = ARGV[2], ARGV[3], tonumber(ARGV[4])
local expires_s = now + tonumber(ARGV[5])
local held = key('slots', accelerator)

for _, text in ipairs(redis.call('ZRANGEBYSCORE', held, '-inf', exactly(now))) do
  local job, name = referred(text)
  local slot = find_slot(job, name)
  if slot then
    let_go(accelerator, job, name, slot)
    wait(unpack_place(slot.place, job), slot.place, {name, slot.order})
  else
    redis.call('ZREM', held, text)
  end
end

for _ = redis.call('ZCARD', held) + 1, limit do
  local place, name, order = next_task(accelerator)
  if not place then
    break
  end
  local packed, turn = pack_place(place), redis.call('INCR', key('turn'))
  wait_no_more(place, name)
  served(place, packed, turn)
  hold(accelerator, place[5], name, {
    place = packed, order = order, cause = cause,
    granted_s = now, expires_s = expires_s, turn = turn,
  })
end

local granted = {}
for _, text in ipairs(redis.call('ZRANGE', key('cause', accelerator, cause), 0, -1)) do
  local job, name = referred(text)
  local slot = find_slot(job, name)
  if slot then
    table.insert(granted, tell(job, name, slot))
  end
end
return granted
