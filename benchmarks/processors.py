"""Who spent how much time of the processors."""

import resource
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil


@dataclass
class Spent:
    """Seconds of processor by who spent them, and how busy all processors were."""

    seconds: dict[str, float] = field(default_factory=dict)
    busy_percent: float = 0.0


@contextmanager
def spending(web: Iterable[int], postgresql: int) -> Iterator[Spent]:
    """What the web processes, PostgreSQL's server with its children, and programs that start and
    end inside the block (wrk) spend in it. `spent` is filled at the end."""
    spent, began, idle = Spent(), time.monotonic(), psutil.cpu_times().idle
    web = list(web)
    before = _of(web), _of_server(postgresql), _of_children()
    yield spent
    after = _of(web), _of_server(postgresql), _of_children()
    names = ("shop", "postgresql", "wrk")
    spent.seconds = {
        name: later - earlier for name, earlier, later in zip(names, before, after, strict=True)
    }
    passed = (time.monotonic() - began) * psutil.cpu_count()
    spent.busy_percent = 100 * (1 - (psutil.cpu_times().idle - idle) / passed)


def _of(pids: Iterable[int]) -> float:
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids)


def _of_server(pid: int) -> float:
    """With the sessions that have ended: the server has waited for them."""
    server = psutil.Process(pid)
    return sum(server.cpu_times()[:4]) + _of(child.pid for child in server.children())


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
