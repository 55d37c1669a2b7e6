-- Sends prepared, signed events, each once, and stops when all are answered.
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
  started, finished = 0, 0
end

function request()
  sent = sent + 1
  return requests[sent] or requests[#requests]
end

function response(status)
  answered = answered + 1
  if status ~= 200 then bad = bad + 1 end
  if answered >= #requests then wrk.thread:stop() end
end

function done(summary, latency)
  local bad = 0
  for _, thread in ipairs(threads) do bad = bad + thread:get("bad") end
  if bad > 0 then print("Non-2xx: " .. bad) end
  print(string.format("RATE %.1f", summary.requests / (summary.duration / 1e6)))
  print(string.format("p50 %.2f ms, p99 %.2f ms", latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
