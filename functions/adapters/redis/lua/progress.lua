-- ARGV: job. Task and frames, in turns.

return redis.call('HGETALL', key('job', ARGV[1], 'progress'))
