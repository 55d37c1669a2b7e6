"""The walk along what is stale, page by page, the oldest first."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Text, select, tuple_

from storefront import checkouts, payments
from storefront.checkouts import Checkout
from storefront.db import Utc, db, utcnow
from storefront.errors import StorefrontError, StripeUnavailable
from storefront.payments import ADOPTION_AGE, Ending, Payment
from storefront.stripe_gateway import StripeGateway, reason

PAGE = 100
IDLE = ADOPTION_AGE
"""What was touched so lately is not stale, however old it is: its customer may be paying."""

UNANSWERED = 3
"""Calls in a row that Stripe did not answer; the rest waits for another time."""

Kind = Literal["checkout", "payment"]
Place = tuple[Kind, datetime, str]
"""A place of the walk: which kind of row, when it was made, its id."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Swept:
    """What became of one row, or why nothing could."""

    place: Place
    ending: Ending | None
    error: str | None = None

    @property
    def kind(self) -> Kind:
        return self.place[0]

    @property
    def id(self) -> str:
        return self.place[2]


def sweep(
    gateway: StripeGateway,
    older_than: timedelta,
    *,
    after: Place | None = None,
    dry_run: bool = False,
) -> Iterator[Swept]:
    """Bring each checkout and payment of that age to its end, beginning `after` a place; one that
    fails stops no other. With `dry_run` nothing is changed, and told what would be.

    Checkouts come first: of one that is found paid there is a payment afterwards.
    Raises StripeUnavailable when Stripe does not answer any more.
    """
    unanswered = 0
    for place in _places(older_than, after):
        swept, unavailable = _swept(gateway, place, dry_run)
        unanswered = unanswered + 1 if unavailable else 0
        yield swept
        if unavailable and unanswered == UNANSWERED:
            raise unavailable


def _places(older_than: timedelta, after: Place | None) -> Iterator[Place]:
    before = utcnow() - older_than
    idle_since = utcnow() - min(older_than, IDLE)
    kinds: tuple[Kind, ...] = ("checkout", "payment")
    for kind in kinds[kinds.index(after[0]) if after else 0 :]:
        at = after[1:] if after and after[0] == kind else None
        while page := _page(kind, before, idle_since, at):
            yield from ((kind, created_at, id) for created_at, id in page)
            at = page[-1]


def _page(
    kind: Kind, before: datetime, idle_since: datetime, after: tuple[datetime, str] | None
) -> list[tuple[datetime, str]]:
    """The next ones that are unsettled although they are from `before` that time, and untouched
    since the other: when each was opened, and its id, the oldest first."""
    table: type[Checkout] | type[Payment] = Checkout if kind == "checkout" else Payment
    unsettled = checkouts.STILL_OPEN if kind == "checkout" else payments.UNSETTLED
    place = tuple_(table.created_at, table.id)
    query = select(table.created_at, table.id).where(
        unsettled, table.created_at < before, table.updated_at < idle_since
    )
    if after is not None:
        query = query.where(place > tuple_(*after, types=(Utc(), Text())))
    ordered = query.order_by(table.created_at, table.id).limit(PAGE)
    return [(opened_at, id) for opened_at, id in db.session().execute(ordered)]


def _swept(
    gateway: StripeGateway, place: Place, dry_run: bool
) -> tuple[Swept, StripeUnavailable | None]:
    """What became of one; and the error, if Stripe did not answer."""
    kind, _, id = place
    try:
        ending = _end(gateway, kind, id, dry_run)
    except StorefrontError as error:
        unavailable = error if isinstance(error, StripeUnavailable) else None
        return Swept(place, None, reason(error)), unavailable
    except Exception as error:
        log.exception("%s %s could not be brought to an end", kind, id)
        return Swept(place, None, f"{type(error).__name__}: {error}"), None
    finally:
        db.session.remove()
    return Swept(place, ending), None


def _end(gateway: StripeGateway, kind: Kind, id: str, dry_run: bool) -> Ending:
    """A purchase is settled by its Checkout Session: only that says what was bought."""
    if kind == "checkout":
        return checkouts.end(gateway, id, dry_run=dry_run)
    payment = db.session().get_one(Payment, id)
    if payment.kind != "purchase":
        return payments.end(gateway, id, dry_run=dry_run)
    visit = select(Checkout.id).where(Checkout.stripe_session_id == payment.checkout_session_id)
    return checkouts.end(gateway, db.session().scalars(visit).one(), dry_run=dry_run)
