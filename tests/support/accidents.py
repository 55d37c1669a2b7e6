"""A process that dies at a point that chance chooses: before or after a statement, a commit, a
request to Stripe. Here it dies of an exception that nothing catches, and its transaction with it;
what SIGKILL does is tried at every point by tests/support/crashes.py."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import requests
from flask import Flask
from sqlalchemy import event

from storefront.db import AT_ONCE, db
from tests.support import books
from tests.support.apps import dispose

T = TypeVar("T")


class Killed(BaseException):
    """No `except Exception` is to survive it."""


class Fate:
    """Counts points while somebody is at work, and kills at the one that was chosen."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.left: int | None = None
        self.deaths: list[str] = []

    def meets(self, work: Callable[[], T], at_point: int | None) -> tuple[bool, T | None]:
        """Do the work in a context of its own; whether it was survived, and what came of it. After
        a death the leases of its jobs have run out."""
        self.left = at_point
        try:
            with self.app.app_context():
                return True, work()
        except Killed:
            self._buries()
            return False, None
        finally:
            self.left = None

    def point(self, name: str) -> None:
        if self.left is None:
            return
        self.left -= 1
        if self.left <= 0:
            self.left = None
            self.deaths.append(name)
            raise Killed(name)

    def _buries(self) -> None:
        with self.app.app_context():
            dispose()
        books.execute(self.app, "UPDATE jobs SET locked_until = NULL WHERE done_at IS NULL")


@contextmanager
def fate(app: Flask) -> Iterator[Fate]:
    found = Fate(app)
    with app.app_context():
        engine, at_once = db.engine, db.engines.get(AT_ONCE)

    def before(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        found.point(f"before {statement.split()[0]}")

    def after(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        found.point(f"after {statement.split()[0]}")

    def lent(*_: Any) -> None:  # for one statement
        found.point("before WITH")

    def given_back(*_: Any) -> None:
        found.point("after WITH")

    if at_once is not None:
        event.listen(at_once, "checkout", lent)
        event.listen(at_once, "checkin", given_back)
    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    with _wrapped(engine.dialect, "do_commit", found), _wrapped(requests.Session, "send", found):
        yield found
    event.remove(engine, "before_cursor_execute", before)
    event.remove(engine, "after_cursor_execute", after)
    if at_once is not None:
        event.remove(at_once, "checkout", lent)
        event.remove(at_once, "checkin", given_back)


@contextmanager
def _wrapped(owner: Any, name: str, fate: Fate) -> Iterator[None]:
    inner = getattr(owner, name)

    def wrapped(*arguments: Any, **named: Any) -> Any:
        fate.point(f"before {name}")
        result = inner(*arguments, **named)
        fate.point(f"after {name}")
        return result

    setattr(owner, name, wrapped)
    try:
        yield
    finally:
        setattr(owner, name, inner)
