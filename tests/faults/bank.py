"""Who moves money back: banks and the Dashboard, at Stripe; an operator, at the shop."""

import threading
from collections import Counter
from contextlib import suppress
from html.parser import HTMLParser
from random import Random
from typing import Any

import requests

from tests.faults.customers import NoAnswer, SignedOut, Visitor

REST_SECONDS = 1.0
COURSES = ("succeeds", "succeeds", "pending", "fails")

Json = dict[str, Any]


class Bank:
    """Refunds, disputes and decides, as people do at the Dashboard and at banks. Of who changes the
    plan (`spared`) only what was bought is touched, no period of a plan."""

    def __init__(self, stripe_url: str, chance: Random, spared: set[str]) -> None:
        self.url, self.chance, self.spared = f"{stripe_url}/_control", chance, spared
        self.session = requests.Session()
        self.counts: Counter[str] = Counter()

    def lives(self, stop: threading.Event) -> None:
        with self.session:
            while not stop.wait(self.chance.uniform(0, REST_SECONDS)):
                act = self.chance.choice((self.refunds, self.refunds, self.disputes, self.decides))
                act()

    def refunds(self) -> None:
        payment = self._payment()
        if payment is None:
            return
        how: Json = {"course": self.chance.choice(COURSES)}
        if self.chance.random() < 0.7:
            how["amount"] = self.chance.randint(1, payment["charge"]["amount_captured"])
        self._does("refunds", f"payments/{payment['charge']['id']}/refund", how)

    def disputes(self) -> None:
        payment = self._payment()
        if payment is not None:
            self._does("disputes", f"payments/{payment['charge']['id']}/dispute", {})

    def decides(self) -> None:
        """A refund comes back, or a dispute is won or lost."""
        payment = self._payment()
        if payment is None:
            return
        for refund in payment["refunds"]:
            if self.chance.random() < 0.3:
                self._does("refunds failed", f"refunds/{refund['id']}", {"status": "failed"})
        for dispute in payment["disputes"]:
            outcome = self.chance.choice(("won", "lost"))
            self._does("disputes decided", f"disputes/{dispute['id']}", {"outcome": outcome})

    def _payment(self) -> Json | None:
        answer = self.session.get(f"{self.url}/payments", timeout=30)
        answer.raise_for_status()
        found = [it for it in answer.json()["data"] if self._may_touch(it["charge"])]
        return self.chance.choice(found) if found else None

    def _may_touch(self, charge: Json) -> bool:
        """The payments of a plan are those that do not name one of the shop's."""
        bought = bool(charge["metadata"])
        return bought or charge["billing_details"]["email"] not in self.spared

    def _does(self, what: str, path: str, body: Json) -> None:
        answer = self.session.post(f"{self.url}/{path}", json=body, timeout=30)
        assert answer.status_code < 500, answer.text
        self.counts[what] += answer.ok


class Operator(Visitor):
    """Refunds payments in the shop's admin: one form, sent again where no answer came."""

    def lives(self, stop: threading.Event) -> None:
        self.stop = stop
        while not stop.wait(self.chance.uniform(0, 2 * REST_SECONDS)):
            try:
                self.refunds()
            except NoAnswer:
                self.counts["no answer"] += 1
            except SignedOut:
                with suppress(NoAnswer, SignedOut):
                    self.signs_in()
        self.session.close()

    def refunds(self) -> None:
        payments = _Fields(self.asks("GET", "/admin/payments").text).payments
        if not payments:
            return
        subject = self.chance.choice(payments)
        wish = f"amount={self.chance.randint(1, 9)}&reason=requested_by_customer"
        page = self.asks("GET", f"/admin/refunds/{subject}?{wish}")
        if "/account/confirm" in page.headers.get("Location", ""):
            raise SignedOut  # to type the password again
        form = _Fields(page.text).hidden
        if "refunded_before" not in form:
            return  # nothing is left to refund
        path = f"/admin/refunds/{subject}"
        done = self.insists(lambda: self.asks("POST", path, data=form))
        self.counts["operator's refunds"] += done.status_code == 303


class _Fields(HTMLParser):
    """What a page holds: hidden fields of its forms, and payments that it links to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}
        self.payments: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("type") == "hidden":
            self.hidden[given.get("name") or ""] = given.get("value") or ""
        address = given.get("href") or ""
        if tag == "a" and address.startswith("/admin/payments/pay_"):
            self.payments.append(address.rpartition("/")[2])
