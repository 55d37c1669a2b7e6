"""What the pages that customers look at most ask of the database."""

from flask import Flask
from sqlalchemy import insert

from storefront.db import transaction, utcnow
from storefront.ledger import Account, Transfer, wallet_id
from tests.support.billing_rows import a_subscription, an_invoice, known_prices
from tests.support.builders import Customer
from tests.web.test_pages import a_customer, counting_queries
from tests.web.visitor import Visitor

PAGES = {"/": 1, "/top-up": 1, "/balance": 1, "/account": 2, "/billing": 3}
"""Each page, and its queries: who is reading, with the balance; and what else is shown."""


def test_pages_ask_little_and_the_same_however_long_the_history(app: Flask) -> None:
    known_prices(app)
    newcomer, regular = a_reader(app, 5), a_reader(app, 500)
    for page, most in PAGES.items():
        asked = [queries_of(app, visitor, page) for visitor in (newcomer, regular)]
        assert asked[0] == asked[1], page
        assert len(asked[0]) <= most, asked[0]


def a_reader(app: Flask, movements: int) -> Visitor:
    """A signed-in subscriber with so many movements of credits."""
    customer, visitor = a_customer(app)
    a_subscription(app, customer)
    an_invoice(app, customer)
    move_often(app, customer, movements)
    return visitor


def move_often(app: Flask, customer: Customer, times: int) -> None:
    """As rows: hundreds of movements by the ledger's verb would take longer than all the rest."""
    wallet = wallet_id(customer.id)
    common = {"code": "top_up", "source": "sales", "target": wallet, "wallet": wallet, "note": ""}
    rows = [
        {"id": f"{wallet}:{n}", "credits": 1, "wallet_version": n, "balance_after": n}
        | {"happened_at": utcnow(), "created_at": utcnow(), **common}
        for n in range(1, times + 1)
    ]
    with app.app_context(), transaction() as session:
        session.add(
            Account(id=wallet, kind="wallet", user_id=customer.id, balance=times, version=times)
        )
        session.flush()
        session.execute(insert(Transfer), rows)


def queries_of(app: Flask, visitor: Visitor, page: str) -> list[str]:
    with counting_queries(app) as queries:
        assert visitor.get(page).status_code == 200
    return queries
