"""What is being done when the process dies, and what must be true once Stripe has sent its events
again: for crash_rounds.py."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flask import Flask

from storefront import ledger, payments, users
from storefront.db import db, transaction
from storefront.inbox import StripeEvent
from storefront.stripe_gateway import Intent
from tests.support import books
from tests.support.builders import (
    Customer,
    Json,
    Purchase,
    a_payment,
    a_user,
    an_event,
    an_intent,
    declined,
    event_of,
    paid,
)
from tests.support.checkers import Handle, violations
from tests.support.lots import FIRST_OF_JANUARY
from tests.support.promised import row

Facts = dict[str, Any]
DELIVERIES = 2


class Scenario:
    """An event arrives for a payment. `prepare` and `check` live in processes of their own; what
    they must know of each other are plain facts."""

    linked = True
    credited = True

    def __init__(self, app: Flask, handle: Handle) -> None:
        self.app = app
        self.handle = handle

    def prepare(self) -> Facts:
        purchase = a_payment(self.app, linked=self.linked)
        return {"purchase": asdict(purchase), "event": self.event(purchase)}

    def event(self, purchase: Purchase) -> Json:
        return paid(purchase)

    def act(self, facts: Facts) -> None:
        self.handle(event_of(self.app, facts["event"]))

    def check(self, facts: Facts) -> list[str]:
        """Deliver again, twice; what is wrong then."""
        for _ in range(DELIVERIES):
            with self.app.app_context():
                self.act(facts)
        purchase = purchase_of(facts)
        expected = purchase.credits if self.credited else 0
        return [*violations(self.app, purchase, expected), *self.wrong_event(facts)]

    def wrong_event(self, facts: Facts, state: str = "handled") -> list[str]:
        row = books.read(self.app).events.get(facts["event"]["id"])
        found = row["state"] if row else "missing"
        return [] if found == state else [f"event is {found}"]


class Paid(Scenario):
    """The short way: everything fits."""


class PaidUnlinked(Scenario):
    """The long way: our row does not know its intent yet."""

    linked = False


class PaidWithReceipt(Scenario):
    """The promise of the receipt is made with the credit: once, and never without it."""

    def check(self, facts: Facts) -> list[str]:
        wrong = super().check(facts)
        key = f"payment_settled:{facts['purchase']['id']}"
        if row(self.app, key)["kind"] != "payment_settled":
            wrong.append("no receipt was promised")
        return wrong


class PaidUnlinkedWithReceipt(PaidWithReceipt):
    linked = False


class Expiring(Scenario):
    """A worker dies in the middle of a sweep, and the next one sweeps again."""

    def prepare(self) -> Facts:
        user = a_user(self.app)
        end = FIRST_OF_JANUARY
        with self.app.app_context(), transaction() as session:
            grant = ledger.Order(f"g {user.id}", "plan_grant", user.id, 50, expires_at=end)
            ledger.transfer(session, grant)
            ledger.transfer(session, ledger.Order(f"t {user.id}", "top_up", user.id, 7))
        return {"user": user.id}

    def act(self, facts: Facts) -> None:
        with transaction() as session:
            ledger.expire_due(session, FIRST_OF_JANUARY)

    def check(self, facts: Facts) -> list[str]:
        for _ in range(DELIVERIES):
            with self.app.app_context():
                self.act(facts)
        with self.app.app_context():
            with transaction() as session:
                ledger.seal(session)  # it is long ago in January
            found = [it.finding for it in ledger.verify(db.session(), FIRST_OF_JANUARY)]
            balance = ledger.balance(db.session(), facts["user"])
        return found if balance == 7 else [*found, f"balance {balance}"]


class PaidAfterAFailedDelivery(Scenario):
    """The event failed before, so that its row is there already."""

    def prepare(self) -> Facts:
        facts = super().prepare()
        event = event_of(self.app, facts["event"])
        with self.app.app_context(), transaction() as session:
            columns = {name: value for name, value in vars(event).items() if name != "object"}
            session.add(StripeEvent(**columns, state="failed", attempts=1, last_error="earlier"))
        return facts


class SettledByTheReturnPage(Scenario):
    """The customer's page asked Stripe; the webhook comes afterwards."""

    def act(self, facts: Facts) -> None:
        intent = Intent.from_dict(facts["event"]["data"]["object"])
        with transaction() as session:
            payments.settle(session, intent, asked=True)

    def check(self, facts: Facts) -> list[str]:
        with self.app.app_context():
            self.handle(event_of(self.app, facts["event"]))
        return super().check(facts)


class Declined(Scenario):
    credited = False

    def event(self, purchase: Purchase) -> Json:
        return declined(purchase)


class Contradicting(Scenario):
    """Parked: the failure is recorded in a transaction of its own."""

    credited = False

    def event(self, purchase: Purchase) -> Json:
        return an_event(an_intent(purchase, amount_received=purchase.amount + 1))

    def wrong_event(self, facts: Facts, state: str = "parked") -> list[str]:
        return super().wrong_event(facts, state)


class Opening(Scenario):
    """Opening a payment: our row, Stripe's customer and intent, and our row again. Then the
    customer presses the button once more, pays, and Stripe tells it twice."""

    def prepare(self) -> Facts:
        return {"customer": asdict(a_user(self.app, stripe_id=None)), "key": "k" * 16}

    def act(self, facts: Facts) -> None:
        self.open(facts)

    def open(self, facts: Facts) -> payments.Opened:
        pack = self.app.extensions["catalog"].pack("usd_10")
        user = users.find(facts["customer"]["id"])
        gateway = self.app.extensions["stripe_gateway"]
        return payments.open_top_up(gateway, user, pack, facts["key"])

    def check(self, facts: Facts) -> list[str]:
        with self.app.app_context():
            opened = [self.open(facts) for _ in range(DELIVERIES)]
            customer = users.find(facts["customer"]["id"])
            stripe_id = customer.stripe_customer_id or ""
            db.session.rollback()
        wrong = [] if opened[0] == opened[1] else [f"two answers: {opened}"]
        buyer = Customer(facts["customer"]["id"], facts["customer"]["email"], stripe_id)
        purchase = Purchase(opened[0].payment_id, buyer, opened[0].intent_id, 1000, "usd", 1000)
        facts = {"purchase": asdict(purchase), "event": paid(purchase)}
        rows = books.read(self.app).payments.values()
        mine = [row["id"] for row in rows if row["user_id"] == buyer.id]
        if mine != [purchase.id]:
            wrong.append(f"payments {mine}")
        paying = Paid(self.app, self.handle)
        return [*wrong, *paying.check(facts)]


class OpeningWithoutAKey(Opening):
    """As scripts do, which name no order."""

    def prepare(self) -> Facts:
        return super().prepare() | {"key": None}


def purchase_of(facts: Facts) -> Purchase:
    given = dict(facts["purchase"])
    return Purchase(**given | {"customer": Customer(**given["customer"])})


SCENARIOS: tuple[Callable[..., Scenario], ...] = (
    Paid,
    PaidUnlinked,
    PaidAfterAFailedDelivery,
    SettledByTheReturnPage,
    Declined,
    Contradicting,
)
