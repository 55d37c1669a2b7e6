"""The judge can say no: what is planted in evidence that was right is found, and counted."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.faults.evidence import Evidence, Intent, Invoice, Line, Spend
from tests.faults.model import Verdict, judge

ADA, BEN = "ada@example.com", "ben@example.com"
DONE, REFUSED, UNKNOWN = "11", "12", "13"


@pytest.fixture
def right() -> Evidence:
    """Ada bought two packs, spent, and got a third of one back; Ben has a plan, and went over to
    the larger one when a quarter of the month was gone."""
    first = Invoice("in_1", "sub_1", BEN, (Line(1900, 1900, False),))
    change = Invoice("in_2", "sub_1", BEN, (Line(-1425, 1900, True), Line(3675, 4900, True)))
    return Evidence(
        intents=[
            Intent("pi_1", ADA, 500, 0, None),
            Intent("pi_2", ADA, 999, 333, None),
            Intent("pi_3", BEN, 1900, 0, "in_1"),
            Intent("pi_4", BEN, 2250, 0, "in_2"),
        ],
        invoices=[first, change],
        orders={"order-1": 1},
        live={BEN: 1},
        spends=[
            Spend(ADA, DONE, 300, "done"),
            Spend(ADA, REFUSED, 9000, "refused"),
            Spend(ADA, UNKNOWN, 40, "unknown"),
        ],
        balances={ADA: 500 + 892 - 300, BEN: 2003 + 2250},
        spent={DONE: 300},
    )


def test_what_is_right_is_called_right(right: Evidence) -> None:
    assert judge(right) == Verdict(0, 0, ())


def test_what_nobody_knows_may_have_happened_or_not(right: Evidence) -> None:
    """But the books must agree with themselves about it."""
    right.spent[UNKNOWN] = 40
    assert judge(right).doubled == 40
    right.balances[ADA] -= 40
    assert judge(right).right


def test_a_lost_credit_is_found(right: Evidence) -> None:
    right.balances[ADA] -= 1
    verdict = judge(right)
    assert (verdict.lost, verdict.doubled) == (1, 0)
    assert verdict.findings == (f"{ADA} has 1091 credits and should have 1092",)


def test_credits_that_were_given_twice_are_found(right: Evidence) -> None:
    right.balances[ADA] += 500
    assert (judge(right).lost, judge(right).doubled) == (0, 500)


def test_a_plan_that_was_granted_twice_is_found(right: Evidence) -> None:
    """A change of plan may cost a credit or two, and no more."""
    right.balances[BEN] -= 2
    assert judge(right).right
    right.balances[BEN] += 2 + 2003
    assert judge(right).doubled > 1990


def test_one_loss_does_not_make_up_for_another_gain(right: Evidence) -> None:
    right.balances[ADA] -= 100
    right.balances[BEN] += 100
    verdict = judge(right)
    assert verdict.lost == 100
    assert verdict.doubled > 90


def test_a_refund_whose_credits_stayed_is_found(right: Evidence) -> None:
    right.intents[0] = replace(right.intents[0], back=500)
    assert judge(right).doubled == 500


PLANTED: dict[str, Callable[[Evidence], object]] = {
    f"spend {DONE} of 300, done, is None": lambda it: it.spent.pop(DONE),
    f"spend {DONE} of 300, done, is 301": lambda it: it.spent.update({DONE: 301}),
    f"spend {REFUSED} of 9000, refused, is 9000": lambda it: it.spent.update({REFUSED: 9000}),
    "nobody asked for spend 99": lambda it: it.spent.update({"99": 1}),
    "operator's order order-1 was refunded 2 times": lambda it: it.orders.update({"order-1": 2}),
    f"{BEN} pays for 2 plans": lambda it: it.live.update({BEN: 2}),
    "pi_1: 501 is no price": lambda it: it.intents.__setitem__(
        0, replace(it.intents[0], amount=501)
    ),
    f"{BEN} has paid and has no account": lambda it: it.balances.pop(BEN),
}


@pytest.mark.parametrize("finding", PLANTED)
def test_each_contradiction_is_named(right: Evidence, finding: str) -> None:
    PLANTED[finding](right)
    assert finding in judge(right).findings
