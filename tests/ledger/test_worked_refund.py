"""docs/ledger.md's worked refund, executed: a document that is wrong fails here."""

import re

from flask import Flask

from storefront import ledger
from storefront.config import ROOT
from storefront.db import transaction
from storefront.ledger import Order, credits_taken_back
from tests.support import books
from tests.support.builders import a_user

PAYMENT, REFUND = "payment", "refund"


def documented_steps() -> list[tuple[str, str, int, int]]:
    """(step, transfer, wallet, refunds) for each row of the table."""
    text = (ROOT / "docs/ledger.md").read_text()
    section = text.split("## Credits taken back", 1)[1].split("\n## ", 1)[0]
    table = section[section.index("| step | transfer |") :].split("\n\n", 1)[0]
    rows = re.findall(r"^\|(.+)\|$", table, re.MULTILINE)[2:]
    cells = [[cell.strip() for cell in row.split("|")] for row in rows]
    return [(step, what, number(wallet), number(sum)) for step, what, wallet, sum in cells]


def number(cell: str) -> int:
    return int(cell.replace(",", "").replace("−", "-"))


class Ada:
    """What she pays, and what is refunded of it, as the document tells it."""

    def __init__(self, app: Flask) -> None:
        self.app, self.id = app, a_user(app).id
        self.credits = self.paid = self.refunded = self.taken = self.steps = 0

    def does(self, step: str) -> tuple[str, int]:
        """Do one documented step: the transfer's movement and credits. An unknown wording fails:
        the document and this test move on together."""
        self.steps += 1
        pays = re.fullmatch(r"\w+ pays \$([\d.]+) for ([\d,]+) credits", step)
        refund = re.fullmatch(r"\$([\d.]+) (?:more )?are refunded", step)
        if pays:
            if not self.paid:
                self.paid, self.credits = cents(pays[1]), number(pays[2])
            return self.moves("top_up", number(pays[2]))
        if refund:
            return self.is_refunded(cents(refund[1]))
        if step == "the second refund fails":
            return self.gets_back(cents("6.67"))
        spends = re.fullmatch(r"she spends ([\d,]+)", step)
        assert spends, f"unknown step {step!r}"
        return self.moves("spend", number(spends[1]))

    def moves(self, code: str, credits: int) -> tuple[str, int]:
        id = PAYMENT if self.steps == 1 else f"step {self.steps}"
        with self.app.app_context(), transaction() as session:
            ledger.transfer(session, Order(id, code, self.id, credits))
        return code, credits

    def is_refunded(self, amount: int) -> tuple[str, int]:
        self.refunded += amount
        total = credits_taken_back(self.credits, self.paid, self.refunded)
        order = Order(f"step {self.steps}", "refund", self.id, total, take_from=(PAYMENT,))
        with self.app.app_context(), transaction() as session:
            made = ledger.take_back(session, order, taken=self.taken)
            assert made is not None
            self.taken += made.credits
            return made.code, made.credits

    def gets_back(self, amount: int) -> tuple[str, int]:
        self.refunded -= amount
        back = self.taken - credits_taken_back(self.credits, self.paid, self.refunded)
        order = Order("back", "refund_reversed", self.id, back)
        with self.app.app_context(), transaction() as session:
            (made,) = ledger.give_back(session, order, of=["step 4"])
            return made.code, made.credits


def cents(dollars: str) -> int:
    return int(dollars.replace(".", ""))


def test_the_worked_refund_of_the_documentation_is_true(app: Flask) -> None:
    steps = documented_steps()
    assert len(steps) >= 6
    ada = Ada(app)
    for step, what, wallet, refunds in steps:
        code, credits = ada.does(step)
        assert what == f"`{code}` {credits:,}", step
        found = (books.balance(app, ada.id), books.totals(app).get("refunds", 0))
        assert found == (wallet, refunds), step
    books.assert_clean(app)
