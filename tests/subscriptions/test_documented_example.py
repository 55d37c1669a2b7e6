"""docs/ledger.md's example of plan credits, executed: a document that is wrong fails here."""

import re
from collections.abc import Callable

from flask import Flask

from storefront import ledger
from storefront.config import ROOT
from storefront.db import transaction
from tests.subscriptions.paper import PaperShop, a_line, at
from tests.support import books

JANUARY, FEBRUARY, MARCH, APRIL = (at(f"2031-0{month}-01") for month in (1, 2, 3, 4))
HALF_WAY = at("2031-01-16 12:00")


def documented_steps() -> list[tuple[str, list[int]]]:
    """(step, [earned, granted, wallet, owed]) for each row of the table."""
    text = (ROOT / "docs/ledger.md").read_text()
    section = text.split("### Upgrade, spend, downgrade", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\|(.+)\|$", section, re.MULTILINE)[2:]
    cells = [[cell.strip() for cell in row.split("|")] for row in rows]
    return [(step, [int(sum.replace(",", "")) for sum in sums]) for step, *sums in cells]


def half(price: str, amount: int, back: str, less: int) -> Callable[[PaperShop], object]:
    """Another plan for the second half of January."""
    return lambda shop: shop.pays(
        a_line(back, -less, HALF_WAY, FEBRUARY, proration=True),
        a_line(price, amount, HALF_WAY, FEBRUARY, proration=True),
        paid_at=HALF_WAY,
    )


def spends(shop: PaperShop) -> None:
    with shop.app.app_context(), transaction() as session:
        ledger.spend(session, shop.user_id, 2000, id=f"spend of {shop.user_id}")


STEPS: dict[str, Callable[[PaperShop], object]] = {
    "Basic is paid for January": lambda shop: shop.pays(
        a_line("basic_monthly", 1000, JANUARY, FEBRUARY), paid_at=JANUARY
    ),
    "half-way through she changes to Pro": half("pro_monthly", 1500, "basic_monthly", 500),
    "she spends 2,000": spends,
    "at once she changes back to Basic": half("basic_monthly", 500, "pro_monthly", 1500),
    "Basic is paid for February": lambda shop: shop.pays(
        a_line("basic_monthly", 1000, FEBRUARY, MARCH), paid_at=FEBRUARY
    ),
    "Basic is paid for March": lambda shop: shop.pays(
        a_line("basic_monthly", 1000, MARCH, APRIL), paid_at=MARCH
    ),
}


def test_the_example_of_plan_credits_is_true(app: Flask) -> None:
    shop = PaperShop(app)
    shop.subscribed()
    steps = documented_steps()
    assert [step for step, _ in steps] == list(STEPS)
    for step, expected in steps:
        STEPS[step](shop)
        rows = shop.rows().values()
        earned, granted = sum(row.earned for row in rows), sum(row.granted for row in rows)
        assert [earned, granted, shop.balance(), shop.owed()] == expected, step
    books.assert_clean(app)
