"""Lists by the page: each page is asked for by the key of the last row before it, so that page
1,000 costs what page 1 costs, and what is new meanwhile shifts nothing."""

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import ColumnElement, Select, literal, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from storefront.db import Utc
from storefront.errors import BadInput

SIZE = 50
BATCH = 1_000

T = TypeVar("T")
Keys = Sequence[InstrumentedAttribute[Any]]
NO_PAGE = "There is no such page of this list. Start again from its beginning."


@dataclass(frozen=True)
class Listing(Generic[T]):
    """A list to be paged: what it selects, and the columns that order it, `newest_first` or not.
    All of them run in one direction, the last one is unique, and an index has them in this order.
    """

    query: Select[*tuple[Any, ...]]
    keys: Keys
    newest_first: bool = True

    def page(self, session: Session, after: str | None = None, size: int = SIZE) -> "Page[T]":
        """At most `size` rows; `after` is the `next` of the page before. Raises BadInput."""
        rows = session.execute(self.statement(after).limit(size + 1)).all()
        shown = rows[:size]
        more = len(rows) > size
        there = -len(self.keys)
        entities = [tuple(row)[:there] for row in shown]
        found = [each if len(each) > 1 else each[0] for each in entities]
        return Page(cast(list[T], found), _cursor(shown[-1][there:]) if more else None)

    def statement(self, after: str | None = None) -> Select[*tuple[Any, ...]]:
        """What is asked, without a limit. Raises BadInput."""
        query = self.query.add_columns(*self.keys)
        if after is not None:
            place, last = tuple_(*self.keys), tuple_(*self._values(after))
            query = query.where(place < last if self.newest_first else place > last)
        order = [key.desc() if self.newest_first else key.asc() for key in self.keys]
        return query.order_by(*order)

    def walk(self, session: Session) -> Iterator[list[T]]:
        """All rows, batch by batch; each is a query of its own, so that the reading phase may be
        ended between two of them."""
        after: str | None = None
        while True:
            page = self.page(session, after, BATCH)
            yield page.rows
            if page.next is None:
                return
            after = page.next

    def _values(self, cursor: str) -> list[ColumnElement[Any]]:
        values = _read(cursor)
        if len(values) != len(self.keys):
            raise BadInput(NO_PAGE)
        return [_typed(key, value) for key, value in zip(self.keys, values, strict=True)]


@dataclass(frozen=True)
class Page(Generic[T]):
    """Rows, and what asks for the next page; None when this is the last."""

    rows: list[T]
    next: str | None


def _cursor(values: Sequence[Any]) -> str:
    plain = [it.isoformat() if isinstance(it, datetime) else it for it in values]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def _read(cursor: str) -> list[Any]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise BadInput(NO_PAGE) from None
    return values if isinstance(values, list) else []


def _typed(key: InstrumentedAttribute[Any], value: object) -> ColumnElement[Any]:
    wanted = datetime if isinstance(key.type, Utc) else key.type.python_type
    try:
        if wanted is datetime and isinstance(value, str):
            value = datetime.fromisoformat(value)
    except ValueError:
        raise BadInput(NO_PAGE) from None
    fits = isinstance(value, wanted) and not isinstance(value, bool)
    if isinstance(value, datetime):
        fits = fits and value.tzinfo is not None
    if isinstance(value, int):
        fits = fits and abs(value) < 2**63
    if isinstance(value, str):
        fits = fits and "\0" not in value and value.isprintable()
    if not fits:
        raise BadInput(NO_PAGE)
    return literal(value, key.type)
