-- GETs one address; says how many a second, and how long they took.
local threads = {}

function setup(thread) table.insert(threads, thread) end

function init() bad, answered = 0, 0 end

function response(status)
  answered = answered + 1
  if status ~= 200 then bad = bad + 1 end
end

function done(summary, latency)
  local bad, answered = 0, 0
  for _, thread in ipairs(threads) do
    bad, answered = bad + thread:get("bad"), answered + thread:get("answered")
  end
  local lost = summary.errors
  bad = bad + lost.connect + lost.read + lost.write + lost.timeout
  print(string.format('{"bad": %d, "per_second": %.1f, "p50_ms": %.3f, "p99_ms": %.3f, "answered": %d}',
    bad, answered / (summary.duration / 1e6), latency:percentile(50) / 1000, latency:percentile(99) / 1000, answered))
end
