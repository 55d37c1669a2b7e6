"""How much a run tries: TEST_THOROUGH=1 tries everything, for a night; without it the usual run
does less of the same, so that it takes minutes."""

import os
import random
from collections.abc import Iterable, Sequence
from typing import TypeVar

from flask import Flask

It = TypeVar("It")

THOROUGH = bool(os.environ.get("TEST_THOROUGH"))


def drawn(cases: Sequence[It], usual: int) -> Sequence[It]:
    """All cases, or usually so many of them, drawn by the run's seed."""
    return cases if THOROUGH else random.sample(cases, usual)


def usually(usual: int, *, thorough: int) -> int:
    """How many rounds, examples or the like."""
    return thorough if THOROUGH else usual


MOST_CASES = 40


def shared_out(cases: Iterable[It], app: Flask) -> list[It]:
    """The cases for the database of this app: in a usual run one half, the other half being for the
    other database. (Which half is as good as by chance: every other one of permutations, say,
    would always end in the same way.) Of very many, the run's seed draws 40."""
    if THOROUGH:
        return list(cases)
    on_sqlite = app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite")
    mine = [case for number, case in enumerate(cases) if number.bit_count() % 2 == on_sqlite]
    return random.sample(mine, MOST_CASES) if len(mine) > MOST_CASES else mine
