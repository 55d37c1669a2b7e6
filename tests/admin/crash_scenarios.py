"""What operators do, and a process that dies meanwhile: for crash_rounds.py."""

import uuid
from dataclasses import asdict

import requests

from storefront import payments, refunding, work
from storefront.admin import correcting
from storefront.admin.correcting import Correction
from storefront.auditing import Actor
from storefront.db import transaction
from storefront.refunding import Wish
from storefront.web import current
from tests.admin.operator import deeds
from tests.admin.till import orders
from tests.support import books
from tests.support.builders import a_user
from tests.support.crash_scenarios import DELIVERIES, Facts, Scenario
from tests.support.promised import states
from tests.support.shopping import opens

KEY = ("sk_test_fakestripe", "")


class Refunding(Scenario):
    """A refund is ordered and made. Then nobody presses again: the worker ends it; and then
    somebody does press again."""

    def prepare(self) -> Facts:
        buyer = a_user(self.app, stripe_id=None)
        opened = opens(self.app, buyer, key=uuid.uuid4().hex)
        card = {"payment_method": "pm_card_visa", "return_url": "http://localhost/"}
        base = self.app.extensions["storefront_config"].stripe_api_base
        paid = f"{base}/v1/payment_intents/{opened.intent_id}/confirm"
        requests.post(paid, data=card, auth=KEY, timeout=30).raise_for_status()
        with self.app.app_context():
            intent = current.gateway().retrieve_payment_intent(opened.intent_id)
            with transaction() as session:
                payments.settle(session, intent, asked=True)
        operator = a_user(self.app)
        return {
            "buyer": buyer.id,
            "intent": opened.intent_id,
            "actor": asdict(Actor(operator.id, operator.email, "192.0.2.7")),
            "wish": asdict(
                Wish(
                    refunding.new_order_id(), opened.payment_id, 400, 0, "duplicate", "twice"
                )
            ),
        }  # fmt: skip

    def act(self, facts: Facts) -> None:
        wish, actor = Wish(**facts["wish"]), Actor(**facts["actor"])
        refunding.order(actor, wish)
        refunding.perform(current.gateway(), wish.order_id, actor)

    def check(self, facts: Facts) -> list[str]:
        wrong = self.after_the_worker(facts["wish"]["order_id"])
        for _ in range(DELIVERIES):
            with self.app.app_context():
                self.act(facts)
        with self.app.app_context():
            made = current.gateway().list_refunds(facts["intent"])
        found = (books.balance(self.app, facts["buyer"]), [it.amount for it in made])
        subject = facts["wish"]["subject"]
        said = [it.action for it in deeds(self.app) if it.subject == subject]
        if found != (600, [400]):
            wrong.append(f"balance and refunds {found}")
        if said != ["refund_ordered", "refund_made"]:
            wrong.append(f"written down {said}")
        return wrong

    def after_the_worker(self, order_id: str) -> list[str]:
        """Have the order's job done, if there is an order; what is wrong then."""
        if order_id not in [it.id for it in orders(self.app)]:
            return []
        if f"make_refund:{order_id}" not in states(self.app):
            return ["nobody was promised the refund"]
        with self.app.app_context():
            work.HANDLERS["make_refund"](current.work_context(), {"order": order_id})
        ended = [it.state for it in orders(self.app) if it.id == order_id]
        return [] if ended == ["made"] else [f"the worker left it {ended}"]


class Correcting(Scenario):
    """Credits are granted by hand, and the button pressed again."""

    def prepare(self) -> Facts:
        operator = a_user(self.app)
        user = a_user(self.app)
        return {
            "actor": asdict(Actor(operator.id, operator.email, "192.0.2.7")),
            "user": user.id,
            "form": correcting.new_form_id(),
        }

    def act(self, facts: Facts) -> None:
        wanted = Correction(facts["form"], facts["user"], "add", 250, "sorry")
        correcting.correct(Actor(**facts["actor"]), wanted)

    def check(self, facts: Facts) -> list[str]:
        for _ in range(DELIVERIES):
            with self.app.app_context():
                self.act(facts)
        balance = books.balance(self.app, facts["user"])
        said = [it.action for it in deeds(self.app) if it.subject == facts["user"]]
        right = balance == 250 and said == ["credits_granted"]
        return [] if right else [f"balance {balance}, written down {said}"]
