"""wrk: the load generator that is quoted, where it is installed.

A script gives it the requests that stand in a file, one after another, and prints what it counted as JSON.
wrk itself counts answers with a status of 400 or more, and connections that could not be made or broke off.
"""

from __future__ import annotations

import resource
from pathlib import Path

import msgspec

from proxy.commands.comparing.children import Child
from proxy.commands.comparing.contenders.contract import Found
from proxy.commands.comparing.contenders.finding import find
from proxy.commands.comparing.errors import ComparisonError
from proxy.commands.comparing.load.outcome import Outcome, Plan

_MARK = "counted: "
_SCRIPT = """\
local file = assert(io.open(%(requests)s, "rb"))
local requests, number, last = {}, 0, 0
for one in file:read("*a"):gmatch("[^%%z]+") do
  last = last + 1
  requests[last] = one
end
file:close()
local traced = %(traced)s
local hex, chance = bit.tohex, math.random
math.randomseed(%(seed)s)

local function part()
  return hex(chance(1, 2147483647))
end

function request()
  number = number + 1
  if number > last then number = 1 end
  if not traced then return requests[number] end
  return requests[number] .. part() .. part() .. part() .. part() .. "-" .. part() .. part()
    .. "-01\\r\\n\\r\\n"
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '%(mark)s{"requests":%%d,"microseconds":%%d,"bytes":%%d,"connect":%%d,"read":%%d,"write":%%d,"status":%%d,'
    .. '"timeout":%%d,"p50":%%.1f,"p99":%%.1f,"p999":%%.1f}\\n',
    summary.requests, summary.duration, summary.bytes, errors.connect, errors.read, errors.write,
    errors.status, errors.timeout,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
"""


class Counted(msgspec.Struct, forbid_unknown_fields=True):
    """What the script prints: times in microseconds, `bytes` as they came over the wire."""

    requests: int
    microseconds: int
    bytes: int
    connect: int
    read: int
    write: int
    status: int
    timeout: int
    p50: float
    p99: float
    p999: float


def find_wrk() -> Found:
    """The installed wrk. Raises ComparisonError where there is none."""
    return find("wrk", "-v", r"wrk (?:debian/)?(\S+)")


def script(requests: Path, *, traced: bool, seed: int = 1) -> str:
    """The Lua script that asks what stands in a file."""
    return _SCRIPT % {
        "requests": _quoted(str(requests)),
        "traced": "true" if traced else "false",
        "seed": seed,
        "mark": _MARK,
    }


def _quoted(text: str) -> str:
    """A string of Lua's, whatever is in it."""
    return '"' + "".join(f"\\{byte:03d}" for byte in text.encode()) + '"'


def parse(output: str, length: int, processor: float) -> Outcome:
    """What wrk printed, where each answer should have `length` bytes of content. Raises ComparisonError."""
    line = next((line for line in output.splitlines() if line.startswith(_MARK)), None)
    if line is None:
        raise ComparisonError("wrk did not say what it counted", evidence=output.strip()[-400:])
    try:
        counted = msgspec.json.decode(line.removeprefix(_MARK), type=Counted)
    except msgspec.DecodeError as error:
        raise ComparisonError("what wrk counted can't be read", evidence=line) from error
    kinds = {
        "connections that could not be made": counted.connect,
        "connections that broke off while reading": counted.read,
        "connections that broke off while writing": counted.write,
        "answers with a status of 400 or more": counted.status,
        "answers that took too long": counted.timeout,
    }
    complaints = [f"{number:,} {what}" for what, number in kinds.items() if number]
    errors = sum(kinds.values())
    if counted.bytes < (counted.requests - counted.status) * length:
        complaints.append("answers with less content than was due")
        errors = max(errors, 1)
    return Outcome(
        requests=counted.requests - counted.status,
        seconds=counted.microseconds / 1e6,
        errors=errors,
        content=(counted.requests - counted.status) * length,
        wire=counted.bytes,
        p50=counted.p50 / 1e6,
        p99=counted.p99 / 1e6,
        p999=counted.p999 / 1e6,
        processor=processor,
        complaints=complaints,
    )


def run_wrk(found: Found, plan: Plan, folder: Path, cores: tuple[int, ...], seed: int) -> Outcome:
    """Carry out a plan with one thread of wrk's. Raises ComparisonError."""
    file = folder / "wrk.lua"
    file.write_text(script(Path(plan.requests), traced=plan.traced, seed=seed))
    seconds = max(1, round(plan.seconds))
    command = [found.path, "-t1", f"-c{plan.connections}", f"-d{seconds}s", "--timeout", "10s", "--latency"]
    command += ["-s", str(file), f"http://127.0.0.1:{plan.port}/"]
    before = _processor_of_children()
    with Child("wrk", command, folder, cores=cores, pipes=True) as child:
        output = child.finish(seconds + 60.0)
        return parse(output, plan.length, _processor_of_children() - before)


def _processor_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
