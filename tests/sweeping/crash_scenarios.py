"""A sweep dies while it closes one payment or checkout, or settles one that was paid: for
tests/support/crash_rounds.py. Another sweep makes up for it."""

from datetime import timedelta
from typing import Any

import requests
from flask import Flask

from storefront import prices, sweeping
from storefront.db import db
from tests.support import books
from tests.support.at_checkout import confirms, opens_checkout
from tests.support.builders import a_user
from tests.support.checkers import Handle
from tests.support.checkouts import rows
from tests.support.crash_scenarios import Facts, Scenario
from tests.support.shopping import opens
from tests.support.swept import forgets_its_intent

ROUNDS = 2
KEY = ("sk_test_fakestripe", "")


class Sweeping(Scenario):
    """Three that nobody heard of again: a payment that was left, one that was paid and does not
    know its intent, a checkout that was paid."""

    def __init__(self, app: Flask, handle: Handle) -> None:
        super().__init__(app, handle)
        with app.app_context():
            prices.refresh(app.extensions["stripe_gateway"], app.extensions["catalog"])
            db.session.rollback()

    def prepare(self) -> Facts:
        buyers = [a_user(self.app, stripe_id=None) for _ in range(3)]
        left, paid = (opens(self.app, buyer) for buyer in buyers[:2])
        visit = opens_checkout(self.app, buyers[2])
        confirms(visit)
        card = {"payment_method": "pm_card_visa", "return_url": "http://localhost/"}
        self._stripe("POST", f"/v1/payment_intents/{paid.intent_id}/confirm", data=card)
        forgets_its_intent(self.app, paid.payment_id)
        return {
            "buyers": [buyer.id for buyer in buyers],
            "left": left.payment_id,
            "paid": paid.payment_id,
            "visit": visit.checkout_id,
            "intent": left.intent_id,
        }

    def act(self, facts: Facts) -> None:
        for swept in sweeping.sweep(self.app.extensions["stripe_gateway"], timedelta(0)):
            assert swept.error is None, swept

    def check(self, facts: Facts) -> list[str]:
        with self.app.app_context():
            for _ in range(ROUNDS):
                self.act(facts)
            db.session.rollback()
        after = books.read(self.app)
        books.assert_clean(self.app)
        at_stripe = self._stripe("GET", f"/v1/payment_intents/{facts['intent']}")["status"]
        found = {
            "left": after.payments[facts["left"]]["status"],
            "at Stripe": at_stripe,
            "paid": after.payments[facts["paid"]]["status"],
            "visit": rows(self.app, "checkouts")[facts["visit"]]["status"],
            "balances": [after.balance(buyer) for buyer in facts["buyers"]],
        }
        right = {
            "left": "canceled",
            "at Stripe": "canceled",
            "paid": "succeeded",
            "visit": "complete",
            "balances": [0, 1000, 3000],
        }
        return [f"{name}: {found[name]}" for name in right if found[name] != right[name]]

    def _stripe(self, method: str, path: str, **how: Any) -> Any:
        base = self.app.extensions["storefront_config"].stripe_api_base
        answer = requests.request(method, f"{base}{path}", auth=KEY, timeout=30, **how)
        answer.raise_for_status()
        return answer.json()
