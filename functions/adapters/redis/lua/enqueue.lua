-- ARGV: JSON of [[accelerator, tenant priority, tenant, priority, job, [task, order, …],
-- [long task, …]], …].
-- Tasks that hold a slot or are complete stay as they are. So do those that wait; where a server
-- lost the way to them, it is laid again, and a slot that it counts no more is none.

local function is_held(job, name)
  local slot = find_slot(job, name)
  if not slot then
    return false
  end
  local accelerator = unpack_place(slot.place, job)[1]
  if redis.call('ZSCORE', key('slots', accelerator), reference(job, name)) then
    return true
  end
  let_go(accelerator, job, name, slot)
  return false
end

for _, place in ipairs(cjson.decode(ARGV[1])) do
  local long, tasks, job = table.remove(place), table.remove(place), place[5]
  local packed = pack_place(place)
  local waiting, slots = key('job', job, 'waiting'), key('job', job, 'slots')
  local wanted, generation, done = {}, '', ''
  for index = 1, #tasks, 2 do
    local name = tasks[index]
    if string.match(name, '^%d+') ~= generation then
      generation = string.match(name, '^%d+')
      done = key('job', job, 'done', generation)
    end
    local held = redis.call('HEXISTS', slots, name) == 1 and is_held(job, name)
    if not held and redis.call('SISMEMBER', done, name) == 0 then
      local there = redis.call('HGET', waiting, name)
      if not there or there == packed then
        table.insert(wanted, name)
        table.insert(wanted, tasks[index + 1])
      end
    end
  end
  for _, name in ipairs(long) do
    redis.call('SADD', key('job', job, 'long'), name)
  end
  if #long > 0 then
    keep(key('job', job, 'long'))
  end
  wait(place, packed, wanted)
end
