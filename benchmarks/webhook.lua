-- Sends prepared, signed events, each once, and tells when all are answered.
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
      local headers = {
        ["Content-Type"] = "application/json; charset=utf-8",
        ["Stripe-Signature"] = line:sub(1, tab - 1),
      }
      table.insert(requests, wrk.format("POST", nil, headers, (line:sub(tab + 1):gsub("\v", "\n"))))
    end
    n = n + 1
  end
  verified = index > 0
  claimed, started, finished = 0, 0, 0
end

-- How long a connection waits before it asks for its next request: for ever when none is left, as
-- others may still wait for their answers.
function delay()
  claimed = claimed + 1
  return claimed > #requests and 3600000 or 0
end

function request()
  -- wrk asks the first thread for one request that it does not send.
  if not verified then
    verified = true
    return requests[1]
  end
  sent = sent + 1
  if sent == 1 then started = now() end
  return requests[sent]
end

function response(status)
  answered = answered + 1
  if status ~= 200 then bad = bad + 1 end
  if answered == #requests then
    finished = now()
    io.write("FINISHED\n")
    io.flush()
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
  print(string.format('{"bad": %d, "per_second": %.1f, "p50_ms": %.3f, "p99_ms": %.3f, "answered": %d}',
    bad, total / (last - first), latency:percentile(50) / 1000, latency:percentile(99) / 1000, total))
end
