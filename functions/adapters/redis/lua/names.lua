-- Names of keys. All begin with KEYS[1], which is one hash tag: they share a slot of a cluster, so
-- a script may name keys by what it reads. Parts are separated by colons, their own are escaped.
--
--   leases, holders                     sorted set lease -> end; hash lease -> holder
--   queue:…                             see queue.lua
--   served:<accelerator>:<priority>     sorted set tenant -> number of the turn it had last
--   turn                                how many turns there were
--   slots:<accelerator>                 sorted set <job>:<task> -> end
--   cause:<accelerator>:<cause>         sorted set <job>:<task> -> number of the turn
--   job:<job>:waiting, :slots, :long, :places, :done:<generation>, :generations, :progress
--
-- A task is `<generation>:<id>` within its job, the generation in ten digits: text sorts as numbers.

local function quoted(text)
  if not string.find(text, '[%%:]') then
    return text
  end
  return (string.gsub(text, '[%%:]', {['%'] = '%25', [':'] = '%3A'}))
end

local function key(...)
  local parts = {...}
  for index = 1, #parts do
    parts[index] = quoted(parts[index])
  end
  return KEYS[1] .. ':' .. table.concat(parts, ':')
end

-- Numbers as text: Redis and Lua cut them off when they make text or integers of them themselves.
local function exactly(number)
  return string.format('%.17g', number)
end

-- Nothing of a job outlives this, counted from the last time anything was written: a job ends, and
-- is forgotten, within a week. It is for what arrives after that.
local KEEP_S = 8 * 86400

local function keep(name)
  redis.call('EXPIRE', name, KEEP_S)
end
