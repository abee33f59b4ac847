-- What wrk asks. Arguments: FILE MODE NUMBER AUTHORIZATION
-- FILE has one request a line: method, target, body, with tabs between.
-- MODE "random" takes any of them each time, "once" each once in the order of the file and then ends the run,
-- "passes" goes through them in order again and again, each time in a session of its own, which begin at NUMBER,
-- "spread" takes any of them each time, in any of NUMBER sessions.

local ffi = require "ffi"
ffi.cdef [[
  typedef struct { long seconds; long nanoseconds; } bench_moment;
  int clock_gettime(int clock, bench_moment *moment);
  int getpid(void);
  int kill(int process, int signal);
]]

local moment = ffi.new("bench_moment")
local function now()
  ffi.C.clock_gettime(1, moment)
  return tonumber(moment.seconds) + tonumber(moment.nanoseconds) / 1e9
end

local threads = {}
function setup(thread)
  threads[#threads + 1] = thread
end

local requests, before, after = {}, {}, {}
local mode, number, count, asked, begun
elapsed, passes = 0, 0

function init(arguments)
  mode, number = arguments[2], tonumber(arguments[3])
  local headers = { ["Authorization"] = arguments[4], ["Accept"] = "application/json", ["User-Agent"] = "wrk" }
  if mode == "passes" or mode == "spread" then
    headers["x-chatproxy-session"] = "%SESSION%"
  end
  for line in io.lines(arguments[1]) do
    local method, target, body = line:match("^([^\t]*)\t([^\t]*)\t(.*)$")
    headers["Content-Type"] = body ~= "" and "application/x-www-form-urlencoded" or nil
    local request = wrk.format(method, target, headers, body ~= "" and body or nil)
    local first, last = request:find("%SESSION%", 1, true)
    requests[#requests + 1] = request
    if first then
      before[#before + 1] = request:sub(1, first - 1)
      after[#after + 1] = request:sub(last + 1)
    end
  end
  count, asked = #requests, 0
  math.randomseed(number + 1)
end

function request()
  asked = asked + 1
  if mode == "random" then
    return requests[math.random(count)]
  elseif mode == "spread" then
    local chosen = math.random(count)
    return before[chosen] .. "s" .. math.random(number) .. after[chosen]
  elseif mode == "passes" then
    local place = (asked - 1) % count + 1
    passes = (asked - place) / count + 1
    return before[place] .. "pass" .. (number + passes) .. after[place]
  end
  begun = begun or now()
  if asked <= count then
    return requests[asked]
  end
  if elapsed == 0 then
    elapsed = now() - begun
    ffi.C.kill(ffi.C.getpid(), 2)
  end
  return requests[math.random(count)]
end

function done(summary, latency, _)
  local once = threads[1]:get("elapsed")
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests": %d, "seconds": %f, "once": %f, "passes": %d, "bytes": %d, "p50": %f, "p99": %f, '
      .. '"connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}\n',
    summary.requests, summary.duration / 1e6, once, threads[1]:get("passes"), summary.bytes,
    latency:percentile(50), latency:percentile(99),
    errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
