"""The shop's processes, and what a service manager does for them: whoever dies is started again."""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from storefront.config import ROOT
from tests.faults import clocks
from tests.support.shop import clean_environment

WATCH_SECONDS = 0.1
END_SECONDS = 20
END_OF_LINE_SECONDS = 1


class Nursery:
    """The process from which the others are forked; see nursery.py."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            cwd=ROOT,
            env=clean_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is answered by us, in order
        )
        self._ready = False

    def starts(self, **wanted: Any) -> int:
        """Start a program; its pid."""
        assert self._process.stdin and self._process.stdout
        with self._lock:
            if not self._ready:
                assert self._process.stdout.readline() == "ready\n", "the nursery did not start"
                self._ready = True
            self._process.stdin.write(f"{json.dumps(wanted)}\n")
            self._process.stdin.flush()
            return int(self._process.stdout.readline())

    def close(self) -> None:
        """End it, and what is left of those that it started."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(END_SECONDS)
        self._process.stdout.close()


@contextmanager
def a_nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    try:
        yield nursery
    finally:
        nursery.close()


@dataclass
class Node:
    """One of the shop's processes, with those that it forks itself. `pid` is that of its present
    life."""

    name: str
    program: str
    arguments: list[str]
    environment: dict[str, str]
    folder: Path
    pid: int = 0
    lives: int = 0

    @property
    def clock(self) -> Path:
        return self.folder / f"{self.name}.clock"

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def alive(self) -> bool:
        return self.pid != 0 and psutil.pid_exists(self.pid)

    @property
    def state(self) -> str:
        """What the system says of it: sleeping, stopped, gone."""
        with suppress(psutil.NoSuchProcess):
            return str(psutil.Process(self.pid).status())
        return "gone"

    def last_words(self, lines: int) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text().splitlines()[-lines:])

    def family(self) -> list[int]:
        """It, and the processes that it has forked."""
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(self.pid).children(recursive=True)
            return [self.pid, *(child.pid for child in children)]
        return []


class Processes:
    """Starts the nodes, and keeps them up until they are stopped."""

    def __init__(self, nursery: Nursery, nodes: list[Node]) -> None:
        self._nursery, self.nodes = nursery, nodes
        self._over = threading.Event()
        self._watching = threading.Thread(target=self._watch, name="processes")

    def start(self) -> None:
        for node in self.nodes:
            clocks.make(node.clock)
            self._begin(node)
        self._watching.start()

    def stop(self) -> None:
        """All at once and without a word: what they were at is looked at before."""
        self._over.set()
        if self._watching.is_alive():
            self._watching.join()
        for node in self.nodes:
            self._kill_group(node)

    def kill(self, node: Node) -> None:
        """SIGKILL to it and all its processes at once: nobody gets a chance to tidy up."""
        self._kill_group(node)

    def kill_one(self, node: Node, draw: float) -> None:
        """SIGKILL to one of the processes that it has forked; it has to notice by itself."""
        children = node.family()[1:]
        if children:
            self._signal(children[int(draw * len(children))], signal.SIGKILL)

    def pause(self, node: Node) -> None:
        for pid in node.family():
            self._signal(pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Whoever stands still goes on."""
        for node in self.nodes:
            for pid in node.family():
                self._signal(pid, signal.SIGCONT)

    def says_where_it_stands(self, node: Node) -> None:
        """A worker writes its stacks to its log; see nursery.py."""
        self._signal(node.pid, signal.SIGUSR1)
        time.sleep(END_OF_LINE_SECONDS)

    def limit_files(self, bytes: int) -> None:
        """Let no process write a file beyond so many bytes: that is how a full disk looks to it,
        and who writes a log of what it did not write does not get that far."""
        for node in self.nodes:
            for pid in node.family():
                with suppress(ProcessLookupError):
                    resource.prlimit(pid, resource.RLIMIT_FSIZE, (bytes, resource.RLIM_INFINITY))

    def step_clock(self, node: Node, seconds: float) -> None:
        clocks.step(node.clock, seconds)

    def named(self, kind: str) -> list[Node]:
        """The web servers, or the workers."""
        return [node for node in self.nodes if node.name.startswith(kind)]

    def _watch(self) -> None:
        while not self._over.wait(WATCH_SECONDS):
            for node in self.nodes:
                if not node.alive:
                    self._kill_group(node)  # what it forked goes with it
                    self._begin(node)

    def _begin(self, node: Node) -> None:
        node.lives += 1
        node.pid = self._nursery.starts(
            program=node.program,
            arguments=node.arguments,
            environment=node.environment,
            clock=str(node.clock),
            log=str(node.log),
        )

    def _kill_group(self, node: Node) -> None:
        with suppress(ProcessLookupError):
            os.killpg(node.pid, signal.SIGKILL)

    def _signal(self, pid: int, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
