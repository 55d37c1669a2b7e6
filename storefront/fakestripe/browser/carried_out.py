"""One thing done for a customer on a page: in a transaction, with a refusal as a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..account import Work, current_account
from ..errors import ApiError

T = TypeVar("T")


def carried_out(action: Callable[[Work], T]) -> T | ApiError:
    """Do it and commit; return what it returns, or the refusal.

    As in the API, a refusal of input undoes everything, while an attempt that was declined stays
    on record.
    """
    try:
        with current_account().store.writing() as tx:
            try:
                return action(Work(current_account(), tx))
            except ApiError as error:
                if not (error.executed or error.status == 402):
                    raise
                return error
    except ApiError as error:
        return error
