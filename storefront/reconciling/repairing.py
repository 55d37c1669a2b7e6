"""Repairing a difference by the functions that would have prevented it, and looking at it again."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from storefront import checkouts, payments, reversals, subscriptions
from storefront.catalog import Catalog
from storefront.db import transaction
from storefront.errors import NotFound, StorefrontError, StripeUnavailable
from storefront.reconciling import charging, disputing, invoicing, paying, refunding, subscribing
from storefront.reconciling.difference import Difference, Remedy
from storefront.reconciling.look import Look
from storefront.reconciling.walking import Walk, again
from storefront.stripe_gateway import StripeGateway, reason

log = logging.getLogger(__name__)

_WALKS: dict[str, Walk[Any]] = {
    "pi_": paying.WALK,
    "re_": refunding.WALK,
    "pyr_": refunding.WALK,
    "du_": disputing.WALK,
    "dp_": disputing.WALK,
    "sub_": subscribing.WALK,
    "in_": invoicing.WALK,
}
"""By how Stripe's ids begin."""


@dataclass(frozen=True)
class Repair:
    """What came of one: `left` are the differences that are still there, `trouble` is why."""

    difference: Difference
    left: tuple[Difference, ...]
    trouble: str | None = None

    @property
    def done(self) -> bool:
        return not self.left


def repair(
    gateway: StripeGateway,
    catalog: Catalog,
    livemode: bool,
    difference: Difference,
    *,
    remedied: bool = False,
    wait: Callable[[float], None] = time.sleep,
) -> Repair:
    """Do what the ordinary functions do about a difference, and compare the same object again; only
    the second when the same remedy was applied just now (`remedied`). One without a remedy is for a
    person. Done twice, or killed in the middle and done again, it comes to the same. Raises
    StripeUnavailable when Stripe stays away."""
    look = Look(gateway, catalog, livemode, minimum_age=timedelta(0), wait=wait)
    trouble = None
    with closing(look.seen):
        if difference.remedy is None:
            return Repair(difference, (difference,))
        try:
            if not remedied:
                _do(look, difference.remedy)
        except StripeUnavailable:
            raise
        except StorefrontError as error:
            trouble = reason(error)
            log.warning("%s is not repaired: %s", difference.subject, trouble)
        return Repair(difference, tuple(_left(look, difference)), trouble)


def _do(look: Look, remedy: Remedy) -> None:
    given = (look.gateway, look.catalog, look.livemode)
    if remedy.verb == "payment":
        _settle_payment(look, remedy.id)
    elif remedy.verb == "checkout":
        _settle_checkout(look, remedy.id)
    elif remedy.verb == "subscription":
        look.ask(lambda: subscriptions.sync(*given, remedy.id, owner_id=remedy.owner))
    elif remedy.verb == "invoices":
        look.ask(lambda: subscriptions.sync_invoices(*given, remedy.id, owner_id=remedy.owner))
    intent_id = remedy.intent_id if remedy.verb == "invoices" else remedy.id
    if remedy.verb != "subscription" and intent_id is not None:
        look.ask(lambda: reversals.sync(*given, intent_id))


def _settle_payment(look: Look, intent_id: str) -> None:
    intent = look.ask(lambda: look.gateway.retrieve_payment_intent(intent_id))
    with transaction() as session:
        payments.settle(session, intent, asked=True)


def _settle_checkout(look: Look, intent_id: str) -> None:
    visit = look.ask(lambda: look.gateway.find_checkout_session(intent_id))
    if visit is None:
        raise NotFound("Stripe knows no Checkout Session of this payment.")
    with transaction() as session:
        checkouts.settle(session, visit)


def _left(look: Look, difference: Difference) -> Iterator[Difference]:
    """What still differs of the same object; of a payment, of what was charged for it as well."""
    stripe_id = difference.stripe_id or ""
    walk = next((it for prefix, it in _WALKS.items() if stripe_id.startswith(prefix)), None)
    if walk is None:
        yield difference
        return
    yield from look.told(again(look, walk, stripe_id))
    if walk is paying.WALK:
        charges = look.ask(lambda: look.gateway.charges_of(stripe_id))
        yield from look.told(charging.compare(look, charges.items))
