"""Doing what the comparison found. Each step is safe to repeat and safe twice at once: its
idempotency key is made of its content, and what an interruption left behind is found by the next
comparison."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from storefront import prices
from storefront.catalog import Catalog
from storefront.db import db
from storefront.errors import StripeFailed, StripeRefused, StripeUnavailable
from storefront.portal import Ids, Pair
from storefront.provisioning.actions import LAST, Action, Note, Problem
from storefront.provisioning.comparing import compare_site
from storefront.provisioning.doing import carry_out
from storefront.provisioning.plans import compare_plans
from storefront.provisioning.portal_configuration import adopt_configuration
from storefront.provisioning.site import Site
from storefront.stripe_gateway import StripeGateway, reason

ROUNDS = 3
"""What one round leaves behind, because somebody else was at it too, the next one does."""

TRIES = 3
PAUSE_SECONDS = 0.5

T = TypeVar("T")
Tell = Callable[[Action], object]


@dataclass(frozen=True)
class Applied:
    """What was done, in order; what is left for a person, and what one should know besides, one
    sentence each."""

    done: tuple[Action, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()


def apply(
    gateway: StripeGateway, catalog: Catalog, tell: Tell = lambda _: None, site: Site | None = None
) -> Applied:
    """Make Stripe as the catalogue says and, with a site, as the shop needs it; and learn what the
    prices are called there. `tell` hears of each action once it is done.

    What is replaced is taken away last, when what takes its place is in use.
    Raises StripeUnavailable, StripeRefused, Unprocessable; then it can simply be called again."""
    run = Run(gateway, catalog, site, tell)
    for _ in range(ROUNDS):
        actions = run.round()
        if not any(action.to_do for action in actions):
            found = [action.line for action in actions if isinstance(action, Problem)]
            notes = tuple(action.line for action in actions if isinstance(action, Note))
            return Applied(tuple(run.done), tuple(found or run.unsold) + run.refusals, notes)
    somebody = "Somebody else is changing the same at Stripe; run it again."
    return Applied(tuple(run.done), (somebody, *run.refusals))


@dataclass
class Run:
    """One call of apply(). `refused` has what Stripe would not do, and why."""

    gateway: StripeGateway
    catalog: Catalog
    site: Site | None
    tell: Tell
    done: list[Action] = field(default_factory=list)
    unsold: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def refusals(self) -> tuple[str, ...]:
        return tuple(f"{line}: {why}" for line, why in self.refused.items())

    def round(self) -> list[Action]:
        """Look, and do what there is to do: what is sold, then what builds on it, then what takes
        something away. Everything that was found."""
        plans, _ = _patiently(lambda _try: compare_plans(self.gateway, self.catalog))
        plans = self._without_refused(plans)
        self._do_all([action for action in plans if not isinstance(action, LAST)])
        self.unsold = _patiently(lambda _try: prices.refresh(self.gateway, self.catalog))
        about = _patiently(lambda _try: self._compare_site())
        about = self._without_refused(about)
        self._do_all([action for action in about if not isinstance(action, LAST)])
        self._do_all([action for action in plans + about if isinstance(action, LAST)])
        return plans + about

    def _compare_site(self) -> list[Action]:
        if self.site is None:
            return []
        sold = _for_sale(self.gateway, self.catalog)
        adopt_configuration(self.gateway, self.site, sold)
        return compare_site(self.gateway, self.catalog, self.site, sold)

    def _without_refused(self, actions: list[Action]) -> list[Action]:
        return [action for action in actions if action.line not in self.refused]

    def _do_all(self, actions: list[Action]) -> None:
        for action in actions:
            if action.to_do:
                self._do(action)

    def _do(self, action: Action) -> None:
        try:
            _patiently(lambda attempt: carry_out(self.gateway, self.site, action, attempt))
        except StripeRefused as error:
            if action.kind in ("product", "price") and not isinstance(action, LAST):
                raise
            self.refused[action.line] = reason(error)  # the rest does not need it
            return
        self.done.append(action)
        self.tell(action)


def _for_sale(gateway: StripeGateway, catalog: Catalog) -> dict[Pair, Ids]:
    sold = prices.current(db.session(), catalog, gateway.livemode)
    return {pair: (price.product_id, price.id) for pair, price in sold.items()}


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
