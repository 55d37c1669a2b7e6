"""Events that come another way than by delivery, and a process that dies meanwhile: for
crash_rounds.py, named as `tests.support.crash_scenarios_events:<class>`."""

from dataclasses import asdict
from typing import Any

import requests
from flask import Flask

from storefront import catching_up, handlers, redelivery, users
from storefront.db import db, transaction
from storefront.inbox import StripeEvent
from tests.support import books
from tests.support.builders import Customer, Purchase, a_user, event_of
from tests.support.checkers import Handle, violations
from tests.support.crash_scenarios import Facts, Scenario, purchase_of
from tests.support.shopping import opens

ROUNDS = 2
KEY = ("sk_test_fakestripe", "")


class Retrying(Scenario):
    """An event failed; its time has come, and the worker dies. So it is due once more."""

    def prepare(self) -> Facts:
        facts = super().prepare()
        event = event_of(self.app, facts["event"])
        with self.app.app_context(), transaction() as session:
            columns = {name: value for name, value in vars(event).items() if name != "object"}
            session.add(StripeEvent(**columns, state="failed", attempts=1, last_error="earlier"))
        return facts

    def act(self, facts: Facts) -> None:
        redelivery.retry_due()

    def check(self, facts: Facts) -> list[str]:
        books.execute(self.app, "UPDATE stripe_events SET next_try_at = NULL")
        return super().check(facts)


def paid_and_not_told(app: Flask) -> Purchase:
    """Somebody pays a top-up at fakestripe, which has no endpoint to tell."""
    buyer = a_user(app, stripe_id=None)
    opened = opens(app, buyer)
    card = {"payment_method": "pm_card_visa", "return_url": "http://localhost/"}
    at_stripe(app, f"/v1/payment_intents/{opened.intent_id}/confirm", data=card, auth=KEY)
    with app.app_context():
        stripe_id = users.find(buyer.id).stripe_customer_id or ""
        db.session.rollback()
    customer = Customer(buyer.id, buyer.email, stripe_id)
    return Purchase(opened.payment_id, customer, opened.intent_id, 1000, "usd", 1000)


def at_stripe(app: Flask, path: str, **how: Any) -> None:
    """POST something to the fakestripe of this shop."""
    base = app.extensions["storefront_config"].stripe_api_base
    requests.post(f"{base}{path}", timeout=30, **how).raise_for_status()


class CatchingUp(Scenario):
    """Somebody paid, and no webhook came; the catch-up dies, and others go on where it was.

    The shop handles one type of event only, so that there is one walk to kill.
    """

    def __init__(self, app: Flask, handle: Handle) -> None:
        super().__init__(app, handle)
        for type in set(handlers.HANDLERS) - {"payment_intent.succeeded"}:
            del handlers.HANDLERS[type]

    def prepare(self) -> Facts:
        at_stripe(
            self.app, "/_control/clock", json={"advance_seconds": 300}
        )  # all before is settled
        return {"purchase": asdict(paid_and_not_told(self.app))}

    def act(self, facts: Facts) -> None:
        catching_up.catch_up(self.app.extensions["stripe_gateway"], eager=self.eager)

    eager = False

    def check(self, facts: Facts) -> list[str]:
        self.eager = True
        with self.app.app_context():
            for _ in range(ROUNDS):
                self.act(facts)
            unwalked = [row.id for row in db.session.scalars(db.select(StripeEvent)) if _bad(row)]
        found = violations(self.app, purchase_of(facts), 1000)
        return [*found, *(f"{id} is not handled" for id in unwalked)]


def _bad(row: StripeEvent) -> bool:
    return row.state != "handled"
