"""Walking along a list of Stripe's and along the rows of ours that it should show."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute

from storefront.errors import NotFound, Unprocessable
from storefront.reconciling.difference import Difference
from storefront.reconciling.look import Look
from storefront.stripe_gateway import Listed, Page

T = TypeVar("T")
ROWS = 500


@dataclass(frozen=True)
class Walk(Generic[T]):
    """A list of Stripe's: `page` fetches from it, `compare` finds what differs of these objects.

    Where it is to show all rows of a table of ours: `rows` gives some of those that are in the
    window, as pairs of a key that grows and Stripe's id, after a key; `look_up` asks for one that
    was not listed, and `gone` tells of those that Stripe does not have.
    """

    name: str
    page: Callable[[Look, str | None], Page[T]]
    compare: Callable[[Look, Sequence[Listed[T]]], list[Difference]]
    rows: Callable[[Look, str], list[tuple[str, str]]] | None = None
    look_up: Callable[[Look, str], Listed[T]] | None = None
    gone: Callable[[Look, Sequence[str]], list[Difference]] | None = None


def along(look: Look, walk: Walk[Any]) -> Iterator[Difference]:
    """Every difference between this list and our rows, both ways."""
    after: str | None = None
    while True:
        page = look.ask(partial(walk.page, look, after))
        look.tally.count(walk.name, page)
        look.seen.add(item.facts.id for item in page.items)
        yield from look.told(walk.compare(look, page.items))
        look.tell(look.tally)
        after = page.next_after
        if after is None:
            break
    if walk.rows is not None:
        yield from _along_rows(look, walk)


def again(look: Look, walk: Walk[T], stripe_id: str) -> list[Difference]:
    """What differs of one object, asked for now."""
    assert walk.look_up is not None and walk.gone is not None
    look_up = walk.look_up
    try:
        found = look.ask(lambda: look_up(look, stripe_id))
    except NotFound:
        return walk.gone(look, [stripe_id])
    except Unprocessable:
        look.tally.left_out += 1
        return []
    return walk.compare(look, [found])


def some_rows(
    look: Look,
    key: InstrumentedAttribute[Any],
    stripe_id: InstrumentedAttribute[Any],
    after: str,
    *conditions: ColumnElement[bool],
) -> list[tuple[str, str]]:
    """The next rows in the order of their key."""
    query = select(key, stripe_id).where(key > after, stripe_id.is_not(None), *conditions)
    found = look.session.execute(query.order_by(key).limit(ROWS))
    return [(row[0], row[1]) for row in found]


def in_window(look: Look, created_at: InstrumentedAttribute[Any]) -> list[ColumnElement[bool]]:
    """The conditions for rows that were made in the time that is compared."""
    since, until = look.window.since, look.window.until
    conditions = [] if since is None else [created_at >= since]
    return conditions if until is None else [*conditions, created_at < until]


def _along_rows(look: Look, walk: Walk[Any]) -> Iterator[Difference]:
    """Rows that were not on the list: each is asked for by itself, since it may have been made at
    Stripe outside of the window, or only just now."""
    assert walk.rows is not None
    after = ""
    while rows := walk.rows(look, after):
        after = rows[-1][0]
        unseen = look.seen.unseen([stripe_id for _, stripe_id in rows])
        yield from look.told([it for id in unseen for it in again(look, walk, id)])
