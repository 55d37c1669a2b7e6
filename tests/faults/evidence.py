"""What is known at the end: what Stripe says was paid and went back, what customers did, and what
the shop's books hold. Plain facts, read without any code of the shop's."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import requests
from sqlalchemy import Connection, text

Json = dict[str, Any]
Outcome = Literal["done", "refused", "unknown"]
"""What a customer knows of what was asked for; unknown: no answer came, or none that says."""

SPENT = "work:"
"""What the ids of spends begin with; see host.py."""


@dataclass(frozen=True)
class Spend:
    email: str
    key: str
    credits: int
    outcome: Outcome


@dataclass(frozen=True)
class Intent:
    """A payment at Stripe that was paid; `back` is the money that refunds and banks have claimed
    of it. `invoice` is what it paid, if anything."""

    id: str
    email: str
    amount: int
    back: int
    invoice: str | None


@dataclass(frozen=True)
class Line:
    """Of an invoice: what it costs, of what the whole period costs; unused time is below zero."""

    amount: int
    price: int
    proration: bool


@dataclass(frozen=True)
class Invoice:
    id: str
    subscription: str
    email: str
    lines: tuple[Line, ...]


@dataclass
class Evidence:
    """`intents` are all that were paid, `invoices` all that were paid, the oldest first.
    `balances` (by e-mail address) and `spent` (by key) are the shop's books, `orders` how many
    refunds at Stripe carry each order of an operator, `live` how many subscriptions each customer
    has at Stripe that are not over."""

    intents: list[Intent] = field(default_factory=list)
    invoices: list[Invoice] = field(default_factory=list)
    orders: dict[str, int] = field(default_factory=dict)
    live: dict[str, int] = field(default_factory=dict)
    spends: list[Spend] = field(default_factory=list)
    balances: dict[str, int] = field(default_factory=dict)
    spent: dict[str, int] = field(default_factory=dict)


class Stripe:
    """Reads Stripe's lists, page by page. (That of subscriptions leaves out what is over.)"""

    def __init__(self, url: str) -> None:
        self._url = url

    def all(self, noun: str) -> list[Json]:
        """Every object of a kind, the oldest first."""
        return list(self._pages(noun))[::-1]

    def _pages(self, noun: str) -> Iterator[Json]:
        after: dict[str, str] = {}
        with requests.Session() as session:
            session.auth = ("sk_test_ofTheAuditor", "")
            while True:
                params = {"limit": "100", **after}
                answer = session.get(f"{self._url}/v1/{noun}", params=params, timeout=60)
                answer.raise_for_status()
                page = answer.json()
                yield from page["data"]
                if not page["has_more"]:
                    return
                after = {"starting_after": page["data"][-1]["id"]}


def gather(stripe: Stripe, books: Connection, spends: list[Spend]) -> Evidence:
    """All of it, as it is now."""
    emails = {it["id"]: it["email"] for it in stripe.all("customers")}
    prices = {it["id"]: it["unit_amount"] for it in stripe.all("prices")}
    refunds = stripe.all("refunds")
    return Evidence(
        intents=_intents(stripe, emails, refunds),
        invoices=[
            _invoice(it, emails, prices) for it in stripe.all("invoices") if it["status"] == "paid"
        ],
        orders=_orders(refunds),
        live=Counter(emails[it["customer"]] for it in stripe.all("subscriptions")),
        spends=spends,
        balances=_balances(books),
        spent=_spent(books),
    )


def _intents(stripe: Stripe, emails: dict[str, str], refunds: list[Json]) -> list[Intent]:
    paid = [it for it in stripe.all("payment_intents") if it["status"] == "succeeded"]
    claims = [*map(_refunded, refunds), *map(_disputed, stripe.all("disputes"))]
    invoices = {
        it["payment"]["payment_intent"]: it["invoice"] for it in stripe.all("invoice_payments")
    }
    return [
        Intent(
            it["id"],
            emails[it["customer"]],
            it["amount_received"],
            sum(amount for intent, amount in claims if intent == it["id"]),
            invoices.get(it["id"]),
        )
        for it in paid
    ]


def _refunded(refund: Json) -> tuple[str, int]:
    """The money is on its way, or there."""
    counts = refund["status"] in ("pending", "succeeded")
    return refund["payment_intent"], refund["amount"] if counts else 0


def _disputed(dispute: Json) -> tuple[str, int]:
    """The bank has taken it, and has not given it back."""
    counts = dispute["status"] in ("needs_response", "under_review", "lost")
    return dispute["payment_intent"], dispute["amount"] if counts else 0


def _orders(refunds: list[Json]) -> dict[str, int]:
    orders = [it for refund in refunds for it in refund["metadata"].values()]
    return {order: orders.count(order) for order in orders}


def _invoice(invoice: Json, emails: dict[str, str], prices: dict[str, int]) -> Invoice:
    about = invoice["parent"]["subscription_details"]
    lines = [_line(it, prices) for it in invoice["lines"]["data"]]
    email = emails[invoice["customer"]]
    return Invoice(invoice["id"], about["subscription"], email, tuple(lines))


def _line(line: Json, prices: dict[str, int]) -> Line:
    price = prices[line["pricing"]["price_details"]["price"]]
    proration = line["parent"]["subscription_item_details"]["proration"]
    return Line(line["amount"], price, proration)


def _balances(books: Connection) -> dict[str, int]:
    rows = books.execute(
        text(
            "SELECT users.email, ledger_accounts.balance FROM users"
            " LEFT JOIN ledger_accounts ON ledger_accounts.user_id = users.id"
        )
    )
    return {email: balance or 0 for email, balance in rows}


def _spent(books: Connection) -> dict[str, int]:
    rows = books.execute(text("SELECT id, credits FROM ledger_transfers WHERE code = 'spend'"))
    return {id.removeprefix(SPENT): credits for id, credits in rows}
