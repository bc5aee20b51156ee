-- ARGV: job, task, frames.

local progress = key('job', ARGV[1], 'progress')
redis.call('HSET', progress, ARGV[2], ARGV[3])
keep(progress)
