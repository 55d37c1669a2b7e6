"""How much a run tries: TEST_THOROUGH=1 tries everything, for a night; without it the usual run
does less of the same, so that it takes minutes."""

import os

THOROUGH = bool(os.environ.get("TEST_THOROUGH"))


def usually(usual: int, *, thorough: int) -> int:
    """How many rounds, examples or the like."""
    return thorough if THOROUGH else usual
