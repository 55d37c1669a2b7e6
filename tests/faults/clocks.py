"""Clocks of the shop's processes that can be stepped from outside: real time, and an offset that
stands in a small shared file. What is stepped is what the shop reads, `time.time` and
`storefront.db.utcnow`; leases go by the database's clock, which stays."""

import mmap
import struct
import time
from datetime import UTC, datetime
from pathlib import Path

_OFFSET = struct.Struct("d")
_real_time = time.time
_shared: mmap.mmap | None = None


def step(file: Path, seconds: float) -> None:
    """Have the process that follows this file be so many seconds off; 0 is right again."""
    with file.open("r+b") as opened:
        opened.write(_OFFSET.pack(seconds))


def make(file: Path) -> Path:
    """A file of a clock that is right."""
    file.write_bytes(_OFFSET.pack(0.0))
    return file


def install() -> None:
    """Replace the clocks of this process, before anything of the shop has taken hold of them. They
    are right until follow() is called, in this process or in one that is forked from it."""
    from storefront import db

    time.time = _time
    db.utcnow = _utcnow


def follow(file: Path) -> None:
    global _shared
    with file.open("rb") as opened:
        _shared = mmap.mmap(opened.fileno(), _OFFSET.size, prot=mmap.PROT_READ)


def _time() -> float:
    offset = _OFFSET.unpack(_shared)[0] if _shared is not None else 0.0
    return _real_time() + float(offset)


def _utcnow() -> datetime:
    return datetime.fromtimestamp(_time(), UTC)
