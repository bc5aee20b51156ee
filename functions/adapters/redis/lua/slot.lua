-- Slots: the tasks that may be published. What is known of one stands with its job, packed; the
-- accelerator's set counts and ends them, the cause's set answers whoever asks again.

local function reference(job, name)
  return quoted(job) .. ':' .. name
end

local function referred(text)
  local job, name = string.match(text, '^([^:]*):(.*)$')
  return (string.gsub(job, '%%(%x%x)', {['3A'] = ':', ['25'] = '%'})), name
end

local function pack_slot(slot)
  return cmsgpack.pack(
    slot.place, slot.order, slot.cause, slot.granted_s, slot.expires_s, slot.turn
  )
end

local function unpack_slot(packed)
  local place, order, cause, granted_s, expires_s, turn = cmsgpack.unpack(packed)
  return {
    place = place, order = order, cause = cause,
    granted_s = granted_s, expires_s = expires_s, turn = turn,
  }
end

local function find_slot(job, name)
  local packed = redis.call('HGET', key('job', job, 'slots'), name)
  return packed and unpack_slot(packed)
end

-- What is told of a slot: job, task, accelerator, length and time of the grant.
local function tell(job, name, slot)
  local long = redis.call('SISMEMBER', key('job', job, 'long'), name) == 1
  local accelerator = unpack_place(slot.place, job)[1]
  return {job, name, accelerator, long and 'long' or 'short', exactly(slot.granted_s)}
end

local function hold(accelerator, job, name, slot)
  local slots = key('job', job, 'slots')
  redis.call('HSET', slots, name, pack_slot(slot))
  keep(slots)
  redis.call('ZADD', key('slots', accelerator), exactly(slot.expires_s), reference(job, name))
  local cause = key('cause', accelerator, slot.cause)
  redis.call('ZADD', cause, slot.turn, reference(job, name))
  keep(cause)
end

local function let_go(accelerator, job, name, slot)
  redis.call('HDEL', key('job', job, 'slots'), name)
  redis.call('ZREM', key('slots', accelerator), reference(job, name))
  redis.call('ZREM', key('cause', accelerator, slot.cause), reference(job, name))
end
