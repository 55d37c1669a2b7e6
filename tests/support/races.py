"""Doing things at the same time, each in a thread and on a connection of its own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from flask import Flask

T = TypeVar("T")


def at_once(app: Flask, tasks: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """Start all tasks at one barrier; for each, what it returned or raised."""
    barrier = threading.Barrier(len(tasks), timeout=30)

    def run(task: Callable[[], T]) -> T | Exception:
        with app.app_context():
            barrier.wait()
            try:
                return task()
            except Exception as error:  # noqa: BLE001  what was raised is the outcome
                return error

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def raised(outcomes: Sequence[object]) -> list[Exception]:
    return [outcome for outcome in outcomes if isinstance(outcome, Exception)]
