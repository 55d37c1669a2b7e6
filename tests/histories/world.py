"""People, their banks and Stripe: each act happens at fakestripe, as it would at Stripe, and in the
model. What the shop hears of it is another matter: see delivery.py."""

from random import Random
from typing import Any

from storefront import ledger
from storefront.db import transaction
from storefront.errors import BadInput, InsufficientCredits
from tests.histories.truth import Dispute, Paid, Person, Refund, Subscribed
from tests.support import books
from tests.support.accidents import Fate
from tests.support.at_checkout import confirms, opens_checkout
from tests.support.builders import Customer, a_user
from tests.support.checkouts import rows
from tests.support.served import ServedShop
from tests.support.shopping import opens

PACKS = {"usd_5": (500, 500), "usd_10": (1000, 1000), "odd": (999, 1337)}
PLANS = {
    "basic": (1000, 1000, False),
    "odd_plan": (1999, 2003, False),
    "fleeting": (500, 700, True),
}
"""Code -> price, credits, and whether they expire; the catalogue says the same in its own words."""

CATALOG = """
[[packs]]
code = "usd_5"
name = "500 credits"
price = 500
currency = "usd"
credits = 500

[[packs]]
code = "usd_10"
name = "1,000 credits"
price = 1000
currency = "usd"
credits = 1000

[[packs]]
code = "odd"
name = "1,337 credits"
price = 999
currency = "usd"
credits = 1337

[[plans]]
code = "for_good"
billing = "one_time"
name = "For good"
currency = "usd"
one_time = 2900
credits = 3001

[[plans]]
code = "basic"
billing = "subscription"
name = "Basic"
currency = "usd"
monthly = 1000
credits = 1000
credits_expire = "never"

[[plans]]
code = "odd_plan"
billing = "subscription"
name = "Odd"
currency = "usd"
monthly = 1999
credits = 2003
credits_expire = "never"

[[plans]]
code = "fleeting"
billing = "subscription"
name = "Fleeting"
currency = "usd"
monthly = 500
credits = 700
"""

COURSES = {"succeeds": "succeeded", "pending": "pending", "fails": "will fail"}
A_WHILE = 600
"""Seconds after which a bank has done what it is at."""

POINTS = 60
"""Who dies, dies at one of so many points, if the work is that long."""


class World:
    """Two customers of one shop; `chance` decides what they do, `diary` says what they did."""

    def __init__(self, shop: ServedShop, fate: Fate, chance: Random) -> None:
        self.shop, self.fate, self.chance = shop, fate, chance
        self.client = shop.stripe.client()
        self.people = {a_user(shop.app, stripe_id=None): Person() for _ in range(2)}
        self.diary: list[str] = []

    @property
    def everything_paid(self) -> list[Paid]:
        return [paid for person in self.people.values() for paid in person.paid]

    def somebody(self) -> tuple[Customer, Person]:
        return self.chance.choice(list(self.people.items()))

    def notes(self, what: str) -> None:
        self.diary.append(what)

    def survives(self, work: Any, what: str) -> Any:
        """What the shop does for a customer, who tries again when it dies in the middle."""
        point = self.chance.randint(1, POINTS) if self.chance.random() < 0.2 else None
        alive, result = self.fate.meets(work, point)
        if alive:
            return result
        self.notes(f"  (the shop dies {self.fate.deaths[-1]} in {what})")
        return self.survives(work, what)

    def tops_up(self) -> None:
        customer, person = self.somebody()
        pack = self.chance.choice(list(PACKS))
        key = f"order-{self.chance.getrandbits(64):016x}"
        opened = self.survives(lambda: opens(self.shop.app, customer, pack, key), "opening")
        if self.chance.random() < 0.2:
            self.shop.pays(opened.intent_id, "pm_card_visa_chargeDeclined")
            self.notes(f"{customer.id} is declined for {pack}, {opened.intent_id}")
        if self.chance.random() < 0.2:
            self.notes(f"{customer.id} leaves {opened.intent_id} unpaid")
            return
        assert self.shop.pays(opened.intent_id).ok
        person.paid.append(Paid(opened.intent_id, *PACKS[pack]))
        self.notes(f"{customer.id} pays {pack}, {opened.intent_id}")

    def buys_for_good(self) -> None:
        """The one-time plan, at Checkout; once."""
        customer, person = self.somebody()
        if any(paid.amount == 2900 for paid in person.paid):
            return
        visit = self.survives(
            lambda: opens_checkout(self.shop.app, customer, "for_good"), "checkout"
        )
        assert "url" in confirms(visit)
        session_id = rows(self.shop.app, "checkouts")[visit.checkout_id]["stripe_session_id"]
        intent = self.client.v1.checkout.sessions.retrieve(session_id).payment_intent
        person.paid.append(Paid(str(intent), 2900, 3001))
        self.notes(f"{customer.id} buys for good, {intent}")

    def subscribes(self) -> None:
        customer, person = self.somebody()
        if person.subscribed:
            return
        plan = self.chance.choice(list(PLANS))
        try:
            visit = self.survives(
                lambda: opens_checkout(self.shop.app, customer, plan, "monthly"), "checkout"
            )
        except BadInput:  # "This is your plan already": the shop has not heard that it is over
            return
        if visit.checkout_id is None:
            return  # the same, of another plan: a change of plan is made in the portal
        assert "url" in confirms(visit)
        session_id = rows(self.shop.app, "checkouts")[visit.checkout_id]["stripe_session_id"]
        id = str(self.client.v1.checkout.sessions.retrieve(session_id).subscription)
        person.subscription = Subscribed(id, *PLANS[plan])
        self._pays_period(person)
        self.notes(f"{customer.id} subscribes to {plan}, {id}, {person.paid[-1].intent_id}")

    def cancels(self) -> None:
        customer, person = self.somebody()
        if not person.subscribed or person.subscription is None:
            return
        at_once = self.chance.random() < 0.5
        person.subscription.goes_on = False
        if at_once:
            self.client.v1.subscriptions.cancel(person.subscription.id)
            person.subscription.over = True
        else:
            end: Any = {"cancel_at_period_end": True}
            self.client.v1.subscriptions.update(person.subscription.id, end)
        self.notes(f"{customer.id} cancels {'at once' if at_once else 'for the period end'}")

    def month_passes(self) -> None:
        """Every subscription that goes on is paid once more."""
        self._advance(31 * 86_400 + 2 * 3600)
        self.notes("a month passes")
        for paid in self.everything_paid:
            paid.month_passes()
        for person in self.people.values():
            if person.subscription is None or person.subscription.over:
                continue
            if person.subscription.goes_on:
                self._pays_period(person)
                self.notes(f"  {person.subscription.id} is renewed, {person.paid[-1].intent_id}")
            else:
                person.subscription.over = True

    def while_passes(self) -> None:
        self._advance(A_WHILE)
        self.notes("a while passes")

    def refunds(self) -> None:
        """In the Dashboard: a part or all that is left, which may be refused."""
        if not self.everything_paid:
            return
        paid = self.chance.choice(self.everything_paid)
        course = self.chance.choice(list(COURSES))
        how: dict[str, Any] = {"course": course}
        if self.chance.random() < 0.7:
            how["amount"] = self.chance.randint(1, paid.amount)
        made = self._control(f"payments/{paid.intent_id}/refund", how)
        if made is not None:
            paid.refunds.append(Refund(made["id"], made["amount"], COURSES[course]))
            self.notes(f"{made['amount']} of {paid.intent_id} are refunded, which {course}")

    def bank_sends_back(self) -> None:
        """A refund fails although it had succeeded, or before it did."""
        refunds = [it for paid in self.everything_paid for it in paid.refunds]
        if not refunds:
            return
        refund = self.chance.choice(refunds)
        if self._control(f"refunds/{refund.id}", {"status": "failed"}) is not None:
            refund.state = "failed"
            self.notes(f"{refund.id} fails")

    def disputes(self) -> None:
        if not self.everything_paid:
            return
        paid = self.chance.choice(self.everything_paid)
        made = self._control(f"payments/{paid.intent_id}/dispute", {})
        if made is not None:
            paid.is_disputed(Dispute(made["id"], made["amount"]))
            self.notes(f"{paid.intent_id} is disputed: {made['amount']}")

    def bank_decides(self) -> None:
        found = [it for paid in self.everything_paid for it in paid.disputes if it.open]
        if not found:
            return
        dispute = self.chance.choice(found)
        outcome = self.chance.choice(("won", "lost"))
        assert self._control(f"disputes/{dispute.id}", {"outcome": outcome}) is not None
        dispute.open, dispute.won = False, outcome == "won"
        self.notes(f"{dispute.id} is {outcome}")

    def spends(self) -> None:
        """Whether there is enough depends on what the shop has heard; it says so."""
        customer, person = self.somebody()
        credits, id = self.chance.randint(1, 900), f"spend:{len(self.diary)}:{customer.id}"

        def spend() -> bool:
            try:
                with transaction() as session:
                    ledger.spend(session, customer.id, credits, id=id)
            except InsufficientCredits:
                return False
            return True

        if self.survives(spend, "a spend"):
            person.spent += credits
            self.notes(f"{customer.id} spends {credits}")

    def wrong_balances(self) -> dict[str, tuple[int, range]]:
        """Customers whose balance is not what the model says: (ours, the model's)."""
        after = books.read(self.shop.app)
        found = {it.id: (after.balance(it.id), who.balance) for it, who in self.people.items()}
        return {id: (ours, right) for id, (ours, right) in found.items() if ours not in right}

    def _pays_period(self, person: Person) -> None:
        """The newest invoice of a subscription, which is paid, and what paid it."""
        assert person.subscription is not None
        its: Any = {"subscription": person.subscription.id, "limit": 1}
        (invoice,) = self.client.v1.invoices.list(its).data
        assert (invoice.status, invoice.amount_paid) == ("paid", person.subscription.amount)
        of: Any = {"invoice": invoice.id}
        (payment,) = self.client.v1.invoice_payments.list(of).data
        intent = str(payment.payment.payment_intent)
        assert intent not in {paid.intent_id for paid in person.paid}, "a period of its own"
        its_plan = person.subscription
        person.paid.append(Paid(intent, its_plan.amount, its_plan.credits, its_plan.fleeting))

    def _advance(self, seconds: int) -> None:
        self.shop.stripe.advance(seconds)
        for paid in self.everything_paid:
            paid.time_passes()

    def _control(self, path: str, body: dict[str, Any]) -> Any:
        """What the Dashboard or the bank answers; None for a refusal."""
        stripe = self.shop.stripe
        answer = stripe.session.post(f"{stripe.url}/_control/{path}", json=body, timeout=30)
        assert answer.status_code < 500, answer.text
        return answer.json() if answer.ok else None
