-- ARGV: job, generation, task, frames. Only the latest generation is kept. Fields that begin with
-- `task:` are tasks, the other is the generation.

local progress = key('job', ARGV[1], 'progress')
local latest = tonumber(redis.call('HGET', progress, 'generation') or ARGV[2])
local generation = tonumber(ARGV[2])
if generation < latest then
  return
end
if generation > latest then
  redis.call('DEL', progress)
end
redis.call('HSET', progress, 'generation', ARGV[2], 'task:' .. ARGV[3], ARGV[4])
keep(progress)
