"""What the lines of the log are about: ids that each line carries until the request, the job or
the event is done with."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

Facts = dict[str, object]

_facts: ContextVar[Facts | None] = ContextVar("facts", default=None)


@contextmanager
def scope(**facts: object) -> Iterator[Facts]:
    """Have each line that is logged inside carry these facts, and those of the scope around."""
    inside = {**(_facts.get() or {}), **facts}
    token = _facts.set(inside)
    try:
        yield inside
    finally:
        _facts.reset(token)


def bind(**facts: object) -> None:
    """Add to the innermost scope what has become known, such as a payment's id. Nothing happens
    outside of any."""
    inside = _facts.get()
    if inside is not None:
        inside.update(facts)


def known() -> Mapping[str, object]:
    """The facts of this moment."""
    return _facts.get() or {}
