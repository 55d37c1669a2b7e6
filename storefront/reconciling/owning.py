"""Whose Stripe's objects are: read in one query for a page of them."""

from collections.abc import Iterable
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from storefront.db import Base
from storefront.ledger import Transfer
from storefront.users import User

T = TypeVar("T", bound=Base)


def of_customers(session: Session, customers: Iterable[str | None]) -> dict[str, str]:
    """Our users by Stripe's id of the customer."""
    query = select(User.stripe_customer_id, User.id)
    found = session.execute(query.where(User.stripe_customer_id.in_(_named(customers))))
    return {customer: user for customer, user in found if customer is not None}


def by(
    session: Session, table: type[T], column: InstrumentedAttribute[Any], ids: Iterable[str | None]
) -> dict[str, T]:
    """Rows by the value of a column, for these values."""
    named = _named(ids)
    if not named:
        return {}
    found = session.scalars(select(table).where(column.in_(named)))
    return {getattr(row, column.key): row for row in found}


def credits_moved(session: Session, ids: Iterable[str]) -> dict[str, int]:
    """What these transfers moved; nothing for those that are not there."""
    named = _named(ids)
    if not named:
        return {}
    query = select(Transfer.id, Transfer.credits).where(Transfer.id.in_(named))
    return {row.id: row.credits for row in session.execute(query)}


def _named(ids: Iterable[str | None]) -> list[str]:
    return sorted({id for id in ids if id is not None})
