"""What Stripe told in the life of a subscription, delivered in any order, doubled, with the worker
and the success page at any moment, first, last or never: the same rows in the end."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storefront import work
from storefront.checkouts import Opened
from storefront.handlers import HANDLERS, handle
from storefront.jobs import Registry
from storefront.web import current
from tests.fakestripe.harness import FakeStripe
from tests.support import books
from tests.support.at_checkout import buys, comes_back
from tests.support.builders import Customer, Json, a_user, event_of
from tests.support.checkouts import rows
from tests.support.promised import works
from tests.support.rewinding import Moment
from tests.support.thoroughness import usually

DAY = 24 * 3600
FETCHING = ("sync_subscription", "sync_invoices", "expire_checkouts", "grant_plan_credits")
WORKER, PAGE = "the worker comes", "the success page is opened"


@dataclass
class Life:
    """A customer, the checkout, and all that Stripe told afterwards; `moment` is before that."""

    app: Flask
    stripe: FakeStripe
    customer: Customer
    moment: Moment
    opened: Opened
    events: list[Json] = field(default_factory=list)

    def step(self, which: int | str) -> None:
        if which == PAGE:
            comes_back(self.app, self.customer, self.opened)
        elif which == WORKER:
            drain(self.app)
        else:
            with self.app.app_context():
                outcome = handle(event_of(self.app, self.events[int(which)]))
            assert outcome.state in ("handled", "ignored")

    def end(self) -> Json:
        """What is stored, without times of ours and names made up here."""
        drain(self.app)
        books.assert_clean(self.app)
        jobs = sorted(key for key, it in rows(self.app, "jobs", "key").items() if mailed(it))
        found: Json = {
            "subscriptions": told(rows(self.app, "subscriptions", "stripe_subscription_id")),
            "invoices": told(rows(self.app, "invoices")),
            "plan credits": told(rows(self.app, "plan_credits")),
            "checkouts": told(rows(self.app, "checkouts")),
            "payments": told(rows(self.app, "payments")),
            "transfers": transfers(self.app),
            "balance": books.balance(self.app, self.customer.id),
            "mail": jobs,
        }
        plain: Json = json.loads(json.dumps(found, default=str, sort_keys=True))
        return plain


OURS = ("id", "version", "past_due_since", "credited_at", "seen_at", *books.TIMES)


def told(table: dict[str, books.Row]) -> Json:
    return {
        key: {name: value for name, value in row.items() if name not in OURS}
        for key, row in table.items()
    }


def transfers(app: Flask) -> list[Json]:
    names = ("id", "code", "credits", "note", "wallet_version", "balance_after")
    found = books.read(app).transfers.values()
    return sorted(({name: it[name] for name in names} for it in found), key=lambda it: it["id"])


def mailed(job: books.Row) -> bool:
    """What customers hear of, and what follows a payment: once for each."""
    kind: str = job["kind"]
    return kind.startswith("mail_") or kind in ("invoice_paid", "payment_settled")


def drain(app: Flask) -> None:
    """The worker's part that asks Stripe; what it would mail stays promised."""
    with app.app_context():
        registry = dict(work.registry(current.work_context()))
    only: Registry = registry | {kind: _leave for kind in registry if kind not in FETCHING}
    while works(app, only):
        pass


def _leave(_args: Any) -> None:
    """Done by nobody."""


Happens = Callable[[FakeStripe, str], None]


def nothing_more(_stripe: FakeStripe, _customer_id: str) -> None:
    """The first period runs."""


def renews(stripe: FakeStripe, _customer_id: str) -> None:
    stripe.advance(32 * DAY)


def is_canceled(stripe: FakeStripe, customer_id: str) -> None:
    """For the end of the period, and the period ends."""
    client = stripe.client()
    (subscription,) = client.v1.subscriptions.list({"customer": customer_id}).data
    client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    stripe.advance(32 * DAY)


def fails_and_recovers(stripe: FakeStripe, customer_id: str) -> None:
    """The card is declined at the renewal, another one pays."""
    client = stripe.client()
    _use_card(stripe, customer_id, "pm_card_chargeCustomerFail")
    stripe.advance(32 * DAY)
    _use_card(stripe, customer_id, "pm_card_visa")
    (owed,) = client.v1.invoices.list({"customer": customer_id, "status": "open"}).data
    assert owed.id is not None
    client.v1.invoices.pay(owed.id)


def is_changed(stripe: FakeStripe, customer_id: str) -> None:
    """From monthly to yearly in the middle of a month, prorated at once."""
    client = stripe.client()
    stripe.advance(10 * DAY)
    (subscription,) = client.v1.subscriptions.list({"customer": customer_id}).data
    (yearly,) = client.v1.prices.list({"lookup_keys": ["premium_plan_yearly"]}).data
    item = subscription.items.data[0].id
    client.v1.subscriptions.update(
        subscription.id,
        {
            "items": [{"id": item, "price": yearly.id}],
            "proration_behavior": "always_invoice",
        },
    )


def _use_card(stripe: FakeStripe, customer_id: str, method: str) -> None:
    client = stripe.client()
    card = client.v1.payment_methods.attach(method, {"customer": customer_id})
    invoice_settings: Any = {"default_payment_method": card.id}
    client.v1.customers.update(customer_id, {"invoice_settings": invoice_settings})
    for subscription in client.v1.subscriptions.list({"customer": customer_id}).data:
        client.v1.subscriptions.update(subscription.id, {"default_payment_method": card.id})


def a_life(app: Flask, stripe: FakeStripe, plan: tuple[str, str], happens: Happens) -> Life:
    """Everything happens at Stripe, and nobody here hears of it yet."""
    customer = a_user(app, stripe_id=None)
    before = len(stripe.events())
    opened = buys(app, customer, *plan)
    customer_id = books.read(app).users[customer.id]["stripe_customer_id"]
    happens(stripe, customer_id)
    events = [it for it in stripe.events()[before:] if it["type"] in HANDLERS]
    bodies = [{key: it[key] for key in it if key != "deliveries"} for it in events]
    return Life(app, stripe, customer, Moment(app), opened, bodies)


STORIES = [
    (("standard_pack", "one_time"), nothing_more, 3000),
    (("premium_plan", "monthly"), nothing_more, 5000),
    (("premium_plan", "monthly"), renews, 10_000),
    (("premium_plan", "monthly"), is_canceled, 5000),
    (("premium_plan", "monthly"), fails_and_recovers, 10_000),
    (("premium_plan", "monthly"), is_changed, None),
]


@pytest.mark.parametrize("story", STORIES, ids=lambda it: f"{it[0][0]}, {it[1].__name__}")
def test_every_order_ends_alike(
    app: Flask, fakestripe: FakeStripe, story: tuple[tuple[str, str], Happens, int | None]
) -> None:
    plan, happens, credits = story
    life = a_life(app, fakestripe, plan, happens)
    assert len(life.events) > 1
    in_order = range(len(life.events))
    for index in in_order:
        life.step(index)
        life.step(WORKER)
    expected = life.end()
    assert credits is None or expected["balance"] == credits
    life.moment.returns()
    life.step(PAGE)
    for index in in_order:
        life.step(index)
    assert life.end() == expected, "with the success page first"

    @settings(
        max_examples=usually(3, thorough=8),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(orders(len(life.events)))
    def any_order(order: list[int | str]) -> None:
        life.moment.returns()
        for step in order:
            life.step(step)
        assert life.end() == expected

    any_order()


@st.composite
def orders(draw: st.DrawFn, count: int) -> list[int | str]:
    """Every event at least once, some twice, with worker and page in between."""
    again = draw(st.lists(st.sampled_from(range(count)), max_size=3))
    visits = draw(st.lists(st.sampled_from([WORKER, PAGE]), max_size=3))
    steps: list[int | str] = [*range(count), *again, *visits]
    return draw(st.permutations(steps))
