-- The tasks that wait for an accelerator: a tree of sorted sets, whose first members lead to the
-- task that is next.
--
--   queue:<accelerator>                                       tenant priorities, the highest first
--   queue:<accelerator>:<tenant priority>                     tenants, who was served longest ago first
--   queue:<accelerator>:<tenant priority>:<tenant>            priorities of jobs, the highest first
--   queue:<accelerator>:<tenant priority>:<tenant>:<priority> jobs, which was served longest ago first
--   …:<priority>:<job>                                        tasks, in the order of the plan
--
-- A place is such a path: {accelerator, tenant priority, tenant, priority, job}. A set without
-- members does not exist, and the one above does not name it; where a server evicted a set, that is
-- put right when it is come across.

local function node(place, depth)
  return key('queue', unpack(place, 1, depth))
end

local function pack_place(place)
  return cmsgpack.pack(place[1], place[2], place[3], place[4])
end

local function unpack_place(packed, job)
  local accelerator, tenant_priority, tenant, priority = cmsgpack.unpack(packed)
  return {accelerator, tenant_priority, tenant, priority, job}
end

-- Let the sets above name this job, where they do not.
local function open_place(place, packed)
  local places = key('job', place[5], 'places')
  redis.call('HSETNX', places, packed, 0)
  keep(places)
  local scores = {
    -place[2],
    redis.call('ZSCORE', key('served', place[1], place[2]), place[3]) or 0,
    -place[4],
    redis.call('HGET', places, packed),
  }
  for depth = 1, 4 do
    redis.call('ZADD', node(place, depth), 'NX', scores[depth], place[depth + 1])
  end
end

-- Take what is empty out of the sets above, from this depth on.
local function close_place(place, depth)
  for below = depth, 2, -1 do
    if redis.call('EXISTS', node(place, below)) == 1 then
      return
    end
    redis.call('ZREM', node(place, below - 1), place[below])
  end
end

-- The place, the name and the order of the task that is next; nil when none waits.
local function next_task(accelerator)
  local place = {accelerator}
  for depth = 1, 5 do
    local first = redis.call('ZRANGE', node(place, depth), 0, 0, 'WITHSCORES')
    if #first == 0 then
      if depth == 1 then
        return nil
      end
      close_place(place, depth)
      return next_task(accelerator)
    end
    if depth == 5 then
      return place, first[1], tonumber(first[2])
    end
    place[depth + 1] = first[1]
  end
end

-- Let tasks of one place wait: {name, order, name, order, …}.
local function wait(place, packed, tasks)
  if #tasks == 0 then
    return
  end
  open_place(place, packed)
  local waiting, leaf = key('job', place[5], 'waiting'), node(place, 5)
  for index = 1, #tasks, 2 do
    redis.call('HSET', waiting, tasks[index], packed)
    redis.call('ZADD', leaf, exactly(tasks[index + 1]), tasks[index])
  end
  keep(waiting)
end

local function wait_no_more(place, name)
  redis.call('HDEL', key('job', place[5], 'waiting'), name)
  redis.call('ZREM', node(place, 5), name)
  close_place(place, 5)
end

-- Those served longest ago are dropped when there are too many: who is not there counts as never
-- served, so they keep their place.
local TENANTS = 10000

-- It was the turn of this tenant and this job: both go to the end of their rounds.
local function served(place, packed, turn)
  local tenants = key('served', place[1], place[2])
  redis.call('ZADD', tenants, turn, place[3])
  redis.call('ZREMRANGEBYRANK', tenants, 0, -TENANTS - 1)
  redis.call('ZADD', node(place, 2), 'XX', turn, place[3])
  local places = key('job', place[5], 'places')
  redis.call('HSET', places, packed, turn)
  keep(places)
  redis.call('ZADD', node(place, 4), 'XX', turn, place[5])
end
