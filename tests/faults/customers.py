"""Simulated customers: each with a session, as a browser has one, who buys, subscribes, changes the
mind and spends, and who gets no answer now and then. Then they do what people do: the same again,
or something else."""

import re
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any
from uuid import UUID

import requests

from tests.faults.evidence import Outcome, Spend

PASSWORD = "correct horse battery"
CARD = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2040, "cvc": "123"}
CARDS = ("pm_card_visa",) * 8 + ("pm_card_visa_chargeDeclined", "pm_card_createDispute")
PACKS = ("usd_5", "usd_10", "odd")
TRIES = 4
FIRST_PATIENCE_SECONDS = 60.0
THINKING_SECONDS = 0.3
TOKENS = (r'name="csrf_token"[^>]*value="([^"]+)"', r'data-csrf-token="([^"]+)"')

Json = dict[str, Any]


class NoAnswer(Exception):
    """Whatever was asked for: it may have been done."""


class SignedOut(Exception):
    """A clock that was stepped can end a session; some pages are for others."""


class Visitor:
    """Somebody with a session at the shop, whose every request may be answered by another of its
    servers. What happens is counted."""

    def __init__(
        self, name: str, urls: list[str], stripe_url: str, chance: Random, patience: float
    ) -> None:
        self.email = f"{name}@example.com"
        self.urls, self.stripe_url, self.chance = urls, stripe_url, chance
        self.patience_seconds = patience
        self.session = requests.Session()
        self.stop = threading.Event()
        self.counts: Counter[str] = Counter()
        self.known = False

    def asks(self, method: str, path: str, **options: Any) -> requests.Response:
        """One request to the shop. Raises NoAnswer, also for a 5xx, and SignedOut."""
        url = self.chance.choice(self.urls) + path
        options |= {"timeout": self.patience_seconds, "allow_redirects": False}
        try:
            answer = self.session.request(method, url, **options)
        except requests.RequestException:
            raise NoAnswer from None
        if answer.status_code >= 500:
            raise NoAnswer
        if answer.status_code == 401 or "/login" in answer.headers.get("Location", ""):
            raise SignedOut
        return answer

    def posts(self, page: str, path: str, **fields: str) -> requests.Response:
        """A form of a page, with the page's token."""
        token = self.token(self.asks("GET", page).text)
        return self.asks("POST", path, data={"csrf_token": token, **fields})

    def insists(self, act: Callable[[], requests.Response]) -> requests.Response:
        """The same again where no answer comes. Raises NoAnswer when none comes at all."""
        for _ in range(TRIES - 1):
            with suppress(NoAnswer):
                return act()
            self.waits()
        return act()

    def signs_in(self) -> None:
        """With a new account, if there is none yet: a registration without an answer may have made
        it, so the next try is to sign in, and the next to register."""
        self.session.cookies.clear()
        paths = ("/login", "/register") if self.known else ("/register", "/login")
        for path in paths:
            self.session.cookies.clear()
            answer = self.posts(path, path, email=self.email, password=PASSWORD)
            if answer.status_code == 303:
                self.known = True
                return
        raise NoAnswer

    def comes(self) -> None:
        """Sign in before anything goes wrong: with patience, the machine may have much to do."""
        usual, self.patience_seconds = self.patience_seconds, FIRST_PATIENCE_SECONDS
        self.signs_in()
        self.patience_seconds = usual

    def at_stripe(self, path: str, **options: Any) -> Any:
        """What Stripe answers to a browser or in the Dashboard; None if it does not, or refuses."""
        url = f"{self.stripe_url}/{path}"
        with suppress(requests.RequestException):
            answer = requests.post(url, timeout=self.patience_seconds, **options)
            return answer.json() if answer.ok else None
        return None

    def object_at_stripe(self, id: str) -> Json:
        answer = requests.get(f"{self.stripe_url}/_control/objects/{id}", timeout=30)
        answer.raise_for_status()
        found: Json = answer.json()
        return found

    def token(self, page: str) -> str:
        found = next((it for it in (re.search(pattern, page) for pattern in TOKENS) if it), None)
        if found is None:
            raise SignedOut  # the page is for others
        return found[1]

    def waits(self) -> None:
        self.stop.wait(self.chance.uniform(0, THINKING_SECONDS))


class Customer(Visitor):
    """Does something, thinks, does something else, until told to stop. Who `changes` may change the
    plan; the others may get the money of a period back (see model.py: not both)."""

    def __init__(self, *arguments: Any, changes: bool) -> None:
        super().__init__(*arguments)
        self.changes = changes
        self.spends: list[Spend] = []
        self.acts = {
            self.tops_up: 6,
            self.spends_some: 8,
            self.looks: 3,
            self.buys_for_good: 1,
            self.subscribes: 2,
            self.cancels: 0.3,
            self.changes_plan: 1 if changes else 0,
        }

    def lives(self, stop: threading.Event) -> None:
        self.stop = stop
        while not stop.is_set():
            (act,) = self.chance.choices(list(self.acts), weights=list(self.acts.values()))
            try:
                act() if self.known else self.signs_in()
            except NoAnswer:
                self.counts["no answer"] += 1
            except SignedOut:
                self.counts["signed out"] += 1
                with suppress(NoAnswer, SignedOut):
                    self.signs_in()
            self.waits()
        self.session.close()

    def tops_up(self) -> None:
        """One order, however often its page must be asked; then the card, as Stripe.js would."""
        order = {"pack": self.chance.choice(PACKS), "order_key": self._key()}

        def open_it() -> requests.Response:
            token = self.token(self.asks("GET", "/top-up").text)
            headers = {"X-CSRFToken": token}
            path = "/payments/create-payment-intent"
            return self.asks("POST", path, json=order, headers=headers)

        answer = self.insists(open_it)
        if answer.status_code != 201:
            self.counts["top-ups refused"] += 1
            return
        opened = answer.json()
        card = self.chance.choice(CARDS)
        path = f"v1/payment_intents/{opened['intent_id']}/confirm"
        details = {"payment_method": card, "return_url": f"{self.urls[0]}/"}
        paid = self.at_stripe(path, data=details, auth=("sk_test_ofTheBrowser", ""))
        self.counts["top-ups paid" if paid else "top-ups declined or unknown"] += 1
        self.asks("GET", f"/payments/{opened['payment_id']}")

    def spends_some(self) -> None:
        key, credits = self._key(), self.chance.randint(1, 600)
        outcome: Outcome = "unknown"
        insists = self.insists if self.chance.random() < 0.5 else _once
        try:
            token = self.token(self.asks("GET", "/account").text)
        except NoAnswer:
            return
        try:
            form = {"csrf_token": token, "credits": str(credits)}
            status = insists(lambda: self.asks("POST", f"/spend/{key}", data=form)).status_code
            outcome = {200: "done", 409: "refused"}.get(status, "unknown")  # type: ignore[assignment]
        finally:
            self.spends.append(Spend(self.email, key, credits, outcome))
            self.counts[f"spends {outcome}"] += 1

    def looks(self) -> None:
        self.asks("GET", self.chance.choice(("/account", "/billing", "/balance", "/")))

    def buys_for_good(self) -> None:
        self._goes_to_checkout("for_good", "one_time", "purchases")

    def subscribes(self) -> None:
        plan = self.chance.choice(("basic", "more"))
        self._goes_to_checkout(plan, "monthly", "subscriptions")

    def changes_plan(self) -> None:
        """The other plan, in the portal."""
        for plan in ("more", "basic"):
            portal = self._goes_to_portal(plan=plan, interval="monthly")
            if portal is None or portal["flow"] is None:
                continue
            what = portal["flow"].get("subscription_update_confirm")
            if what is not None:
                (item,) = what["items"]
                path = f"subscriptions/{what['subscription']}/change"
                done = self.at_stripe(f"{portal['path']}/{path}", json={"price": item["price"]})
                self.counts["plans changed"] += done is not None and "url" in done
                return

    def cancels(self) -> None:
        portal = self._goes_to_portal(action="cancel")
        if portal is not None and portal["flow"] is not None:
            subscription = portal["flow"]["subscription_cancel"]["subscription"]
            path = f"{portal['path']}/subscriptions/{subscription}/cancel"
            done = requests.post(f"{self.stripe_url}/{path}", timeout=30, allow_redirects=False)
            self.counts["subscriptions canceled"] += done.status_code < 400

    def _goes_to_checkout(self, plan: str, interval: str, what: str) -> None:
        choice = {"plan": plan, "interval": interval}
        answer = self.insists(lambda: self.posts("/billing", "/billing/checkout", **choice))
        gone = answer.headers.get("Location", "")
        if "/c/pay/" not in gone:
            return  # it is there already, or has to be changed in the portal
        card = {"card": {**CARD, "country": "US"}, "email": self.email}
        paid = self.at_stripe(f"{_path(gone)}/confirm", json=card)
        if paid is not None and "url" in paid:
            self.counts[what] += 1
            self.asks("GET", "/billing?checkout_status=success")

    def _goes_to_portal(self, **wish: str) -> Json | None:
        answer = self.posts("/billing", "/billing/portal", **wish)
        gone = answer.headers.get("Location", "")
        if "/p/session/" not in gone:
            return None
        id = gone.rpartition("/")[2]
        return {"path": _path(gone), "flow": self.object_at_stripe(id).get("flow")}

    def _key(self) -> str:
        return str(UUID(int=self.chance.getrandbits(128), version=4))


def _once(act: Callable[[], requests.Response]) -> requests.Response:
    return act()


def _path(url: str) -> str:
    return url.split("/", 3)[3]
