"""The judge: what each balance must be, from what Stripe says was paid and what customers know that
they spent. It does its own sums, with fractions, and never saw an event, a payment or a job of the
shop's.

Credits never expire here, so each balance is one number; but for customers who changed their plan:
a change may cost up to two credits (docs/ledger.md), and cents are whole.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import floor

from tests.faults.evidence import Evidence, Invoice

OFFERS = {500: 500, 1000: 1000, 999: 1337, 2900: 3001}
"""What a pack, or what is bought for good, costs -> its credits; catalog.toml says the same in its
own words."""

PLANS = {1900: 2003, 4900: 5003}
"""The same of a month of a plan."""

CHANGE = 6
"""By so many credits may a customer's balance be less or more for each change of plan: two that it
may cost, and what is in the cents that its four amounts were rounded by."""


@dataclass(frozen=True)
class Verdict:
    """`lost` and `doubled`: credits that customers have too few, and too many; `findings` says
    whose, and what else contradicts."""

    lost: int
    doubled: int
    findings: tuple[str, ...]

    @property
    def right(self) -> bool:
        return not (self.lost or self.doubled or self.findings)


def judge(evidence: Evidence) -> Verdict:
    findings = [
        *_wrong_spends(evidence),
        *_wrong_orders(evidence),
        *_wrong_prices(evidence),
        *(f"{email} pays for {count} plans" for email, count in evidence.live.items() if count > 1),
    ]
    lost = doubled = 0
    for email, balance in sorted(evidence.balances.items()):
        right = expected(evidence, email)
        lost += max(0, right.start - balance)
        doubled += max(0, balance - (right.stop - 1))
        if balance not in right:
            findings.append(f"{email} has {balance} credits and should have {_said(right)}")
    strangers = {it.email for it in evidence.intents} - set(evidence.balances)
    findings += [f"{email} has paid and has no account" for email in sorted(strangers)]
    return Verdict(lost, doubled, tuple(findings))


def expected(evidence: Evidence, email: str) -> range:
    """What this customer's balance may be."""
    granted = _granted([it for it in evidence.invoices if it.email == email])
    bought = 0
    for intent in evidence.intents:
        if intent.email == email:
            brought = OFFERS.get(intent.amount, 0)
            if intent.invoice is not None:
                brought = granted[intent.invoice]
            bought += _left(brought, intent.amount, intent.back)
    spent = sum(evidence.spent.get(it.key, 0) for it in evidence.spends if it.email == email)
    slack = CHANGE * sum(_is_change(it) for it in evidence.invoices if it.email == email)
    return range(bought - spent - slack, bought - spent + slack + 1)


def _left(credits: int, paid: int, back: int) -> int:
    """Of the credits that some money brought, what is left when a part of it went back: parts of a
    credit stay with the customer."""
    return credits - floor(Fraction(credits * min(paid, back), paid))


def _granted(invoices: list[Invoice]) -> dict[str, int]:
    """Invoice -> the credits that it brought. What was granted is never taken back by a change of
    plan: a subscription has what was the most that it had earned at any time."""
    earned: dict[str, Fraction] = {}
    most: dict[str, int] = {}
    brought = {}
    for invoice in invoices:
        of = invoice.subscription
        worth = sum(
            (Fraction(it.amount * PLANS[it.price], it.price) for it in invoice.lines), Fraction()
        )
        earned[of] = earned.get(of, Fraction()) + worth
        before = most.get(of, 0)
        most[of] = max(before, floor(earned[of]))
        brought[invoice.id] = most[of] - before
    return brought


def _is_change(invoice: Invoice) -> bool:
    return any(line.proration for line in invoice.lines)


def _wrong_spends(evidence: Evidence) -> list[str]:
    """What was answered must be in the books as it was answered; what was not may be either way."""
    found = []
    for spend in evidence.spends:
        booked = evidence.spent.get(spend.key)
        may = {"done": (spend.credits,), "refused": (None,), "unknown": (spend.credits, None)}
        if booked not in may[spend.outcome]:
            found.append(f"spend {spend.key} of {spend.credits}, {spend.outcome}, is {booked}")
    known = {spend.key for spend in evidence.spends}
    return found + [f"nobody asked for spend {key}" for key in sorted(set(evidence.spent) - known)]


def _wrong_orders(evidence: Evidence) -> list[str]:
    return [
        f"operator's order {order} was refunded {times} times"
        for order, times in sorted(evidence.orders.items())
        if times > 1
    ]


def _wrong_prices(evidence: Evidence) -> list[str]:
    paid = [it for it in evidence.intents if it.invoice is None]
    return [f"{it.id}: {it.amount} is no price" for it in paid if it.amount not in OFFERS]


def _said(right: range) -> str:
    return str(right.start) if len(right) == 1 else f"{right.start} to {right.stop - 1}"
