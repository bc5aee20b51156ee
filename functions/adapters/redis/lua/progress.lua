-- ARGV: job. Task and frames, in turns.

local all = redis.call('HGETALL', key('job', ARGV[1], 'progress'))
local told = {}
for index = 1, #all, 2 do
  local task = string.match(all[index], '^task:(.*)$')
  if task then
    table.insert(told, task)
    table.insert(told, all[index + 1])
  end
end
return told
