"""docs/ledger.md's worked example, executed: a document that is wrong fails here."""

import re

from flask import Flask

from storefront import ledger
from storefront.config import ROOT
from storefront.db import transaction
from storefront.errors import InsufficientCredits
from storefront.ledger import Order
from tests.support import books
from tests.support.builders import Customer, a_payment, a_user, deliver, paid

Step = tuple[str, str, int, int, int, int]


def documented_steps() -> list[Step]:
    """(step, transfer, sales, wallet, spent, sum) for each row of the table."""
    text = (ROOT / "docs/ledger.md").read_text()
    section = text.split("## A worked example", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\|(.+)\|$", section, re.MULTILINE)[2:]
    cells = [[cell.strip() for cell in row.split("|")] for row in rows]
    return [(step, what, *map(number, sums)) for step, what, *sums in cells]


def number(cell: str) -> int:
    return int(cell.replace(",", "").replace("−", "-"))


def test_the_worked_example_of_the_documentation_is_true(app: Flask) -> None:
    steps = documented_steps()
    assert len(steps) >= 4
    ada = a_user(app)
    events = [paid(a_payment(app, ada))]
    for step, what, sales, wallet, spent, total in steps:
        take(app, ada, step, what, events)
        sums = books.totals(app)
        found = (sums.get("sales", 0), books.balance(app, ada.id), sums.get("spent", 0))
        assert found == (sales, wallet, spent), step
        assert sum(sums.values()) == total == 0, step


def take(app: Flask, ada: Customer, step: str, what: str, events: list[dict[str, object]]) -> None:
    """Do one documented step. An unknown wording fails: the document and this test move on
    together."""
    if step in ("the payment succeeds", "the event comes again"):
        assert deliver(app.test_client(), events[0]).status_code == 200
        return
    assert step.startswith("she spends"), f"unknown step {step!r}"
    refused = re.fullmatch(r"refused: the balance is ([\d,]+)", what)
    if refused:
        credits = number(step.removeprefix("she spends "))
        assert books.balance(app, ada.id) == number(refused[1])
        try:
            spend(app, ada, credits, step)
        except InsufficientCredits:
            return
        raise AssertionError("the spend was not refused")
    made = re.fullmatch(r"`spend` ([\d,]+)", what)
    assert made, f"unknown transfer {what!r}"
    spend(app, ada, number(made[1]), step)


def spend(app: Flask, ada: Customer, credits: int, id: str) -> None:
    with app.app_context(), transaction() as session:
        ledger.transfer(session, Order(id, "spend", ada.id, credits))
