-- ARGV: job, generation, how many tasks there are, and those that are complete. 1 if all are.

local job, generation, total = ARGV[1], ARGV[2], tonumber(ARGV[3])
local done, waiting = key('job', job, 'done', generation), key('job', job, 'waiting')

for index = 4, #ARGV do
  local name = ARGV[index]
  redis.call('SADD', done, name)
  local slot = find_slot(job, name)
  if slot then
    let_go(unpack_place(slot.place, job)[1], job, name, slot)
  end
  local packed = redis.call('HGET', waiting, name)
  if packed then
    wait_no_more(unpack_place(packed, job), name)
  end
end
if #ARGV >= 4 then
  local generations = key('job', job, 'generations')
  redis.call('SADD', generations, generation)
  keep(generations)
  keep(done)
end
return redis.call('SCARD', done) >= total and 1 or 0
