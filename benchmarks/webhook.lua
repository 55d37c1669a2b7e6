-- Sends prepared, signed events, each once, and stops when all are answered.
local ffi = require("ffi")
ffi.cdef("typedef struct { long s; long us; } timeval; int gettimeofday(timeval *, void *);")

local function now()
  local time = ffi.new("timeval")
  ffi.C.gettimeofday(time, nil)
  return tonumber(time.s) + tonumber(time.us) / 1e6
end

local threads = {}
local thread_count = 2

function setup(thread)
  thread:set("index", #threads)
  table.insert(threads, thread)
end

function init(args)
  requests, sent, answered, bad = {}, 0, 0, 0
  local n = 0
  for line in io.lines(args[1]) do
    if n % thread_count == index then
      local tab = line:find("\t", 1, true)
      local headers = { ["Content-Type"] = "application/json", ["Stripe-Signature"] = line:sub(1, tab - 1) }
      table.insert(requests, wrk.format("POST", nil, headers, line:sub(tab + 1)))
    end
    n = n + 1
  end
  -- wrk calls request() once without sending it; a repeat of the first is no loss.
  table.insert(requests, 1, requests[1])
  started, finished = 0, 0
end

function request()
  sent = sent + 1
  if sent == 2 then started = now() end
  return requests[sent] or requests[#requests]
end

function response(status)
  answered = answered + 1
  if status ~= 200 then bad = bad + 1 end
  if answered == #requests then
    finished = now()
    wrk.thread:stop()
  end
end

function done(summary, latency)
  local bad, total, first, last = 0, 0, math.huge, 0
  for _, thread in ipairs(threads) do
    bad = bad + thread:get("bad")
    total = total + thread:get("answered")
    first = math.min(first, thread:get("started"))
    last = math.max(last, thread:get("finished"))
    if thread:get("finished") == 0 then bad = bad + 1 end
  end
  if bad > 0 then print("Non-2xx: " .. bad) end
  print(string.format("RATE %.1f", total / (last - first)))
  print(string.format("p50 %.2f ms, p99 %.2f ms", latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
