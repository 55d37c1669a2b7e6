"""Doing what the comparison found. Each step is safe to repeat and safe twice at once: its
idempotency key is made of its content, and what an interruption left behind is found by the next
comparison."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from storefront import prices
from storefront.catalog import Catalog
from storefront.errors import StripeFailed, StripeUnavailable
from storefront.provisioning.actions import (
    Action,
    ArchivePrice,
    ChangePrice,
    ChangeProduct,
    CreatePrice,
    CreateProduct,
    Problem,
)
from storefront.provisioning.comparing import compare
from storefront.stripe_gateway import StripeGateway

ROUNDS = 3
"""What one round leaves behind, because somebody else was at it too, the next one does."""

TRIES = 3
PAUSE_SECONDS = 0.5

T = TypeVar("T")


@dataclass(frozen=True)
class Applied:
    """What was done, in order, and what is left for a person, one sentence each."""

    done: tuple[Action, ...]
    problems: tuple[str, ...]


def apply(
    gateway: StripeGateway, catalog: Catalog, tell: Callable[[Action], object] = lambda _: None
) -> Applied:
    """Make Stripe as the catalogue says, and learn what the prices are called there. `tell` hears
    of each action once it is done.

    A price that is replaced is archived last, when the shop already sells the new one.
    Raises StripeUnavailable, StripeRefused, Unprocessable; then it can simply be called again."""
    done: list[Action] = []
    for _ in range(ROUNDS):
        actions = _patiently(lambda _try: compare(gateway, catalog))
        to_do = [action for action in actions if action.to_do]
        last = [action for action in to_do if isinstance(action, ArchivePrice)]
        for action in to_do:
            if action not in last:
                done.append(_do(gateway, action, tell))
        unsold = _patiently(lambda _try: prices.refresh(gateway, catalog))
        for action in last:
            done.append(_do(gateway, action, tell))
        if not to_do:
            found = [action.line for action in actions if isinstance(action, Problem)]
            return Applied(tuple(done), tuple(found or unsold))
    return Applied(tuple(done), ("Somebody else is changing the same at Stripe; run it again.",))


def _do(gateway: StripeGateway, action: Action, tell: Callable[[Action], object]) -> Action:
    _patiently(lambda attempt: _carry_out(gateway, action, attempt))
    tell(action)
    return action


def _carry_out(gateway: StripeGateway, action: Action, attempt: int) -> None:
    match action:
        case CreateProduct(product_id=id, plan=plan):
            gateway.create_product(
                id,
                name=plan.name,
                description=plan.description,
                plan=plan.code,
                idempotency_key=_key("product", id, plan.name, plan.description, attempt),
            )
        case ChangeProduct(product_id=id, plan=plan):
            gateway.change_product(id, name=plan.name, description=plan.description, plan=plan.code)
        case CreatePrice(new=new, replaces=old):
            if old is not None:  # marked, so that it is archived even if we are interrupted now
                gateway.change_price(old, metadata=new.metadata)
            gateway.create_price(new, idempotency_key=_key("price", new, old, attempt))
        case ChangePrice(price_id=id, lookup_key=key, metadata=metadata):
            gateway.change_price(id, active=True, lookup_key=key, metadata=metadata)
        case ArchivePrice(price_id=id):
            gateway.change_price(id, active=False)
        case _:
            raise AssertionError(f"nobody knows how to do {action}")


def _key(what: str, *content: object) -> str:
    digest = hashlib.sha256(repr(content).encode()).hexdigest()
    return f"storefront:{what}:{digest[:40]}"


def _patiently(call: Callable[[int], T]) -> T:
    """Try again when Stripe does not answer. After an answer of 500, which Stripe repeats for the
    same idempotency key, the attempt has another number."""
    attempt = 1
    for left in reversed(range(TRIES)):
        try:
            return call(attempt)
        except StripeUnavailable as error:
            if not left:
                raise
            attempt += isinstance(error, StripeFailed)
            time.sleep(PAUSE_SECONDS)
    raise AssertionError("unreachable")
