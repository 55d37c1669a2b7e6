"""The model: who paid, what went back, what was spent. It never sees an event, a row or a job, and
does its own sums, with fractions."""

from dataclasses import dataclass, field
from fractions import Fraction
from math import floor

CLAIMING = ("pending", "succeeded", "will fail")
"""Refunds whose money is on its way to the customer, or there. One that `will fail` has succeeded,
and the bank will send it back."""


@dataclass
class Refund:
    id: str
    amount: int
    state: str


@dataclass
class Dispute:
    id: str
    amount: int
    open: bool = True
    won: bool = False


@dataclass
class Paid:
    """Money that came in, with the credits that it brings: a top-up, a purchase, a period."""

    intent_id: str
    amount: int
    credits: int
    fleeting: bool = False
    refunds: list[Refund] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)

    @property
    def claimed(self) -> int:
        back = sum(it.amount for it in self.refunds if it.state in CLAIMING)
        taken = sum(it.amount for it in self.disputes if not it.won)
        return min(self.amount, back + taken)

    @property
    def worth(self) -> int:
        """What is left of its credits: parts of a credit stay with the customer."""
        return self.credits - floor(Fraction(self.credits * self.claimed, self.amount))

    def time_passes(self) -> None:
        """A few minutes: what is under way at the bank arrives, or comes back."""
        for refund in self.refunds:
            refund.state = {"pending": "succeeded", "will fail": "failed"}.get(
                refund.state, refund.state
            )

    def month_passes(self) -> None:
        """Who does not answer a dispute in time has lost it."""
        for dispute in self.disputes:
            dispute.open = False

    def is_disputed(self, dispute: Dispute) -> None:
        """The bank takes the money; refunds that had not arrived do not any more."""
        self.disputes.append(dispute)
        for refund in self.refunds:
            if refund.state == "pending":
                refund.state = "failed"


@dataclass
class Subscribed:
    """A subscription: what a period costs and brings, and whether there will be another."""

    id: str
    amount: int
    credits: int
    fleeting: bool
    goes_on: bool = True
    over: bool = False


@dataclass
class Person:
    paid: list[Paid] = field(default_factory=list)
    subscription: Subscribed | None = None
    spent: int = 0

    @property
    def subscribed(self) -> bool:
        return self.subscription is not None and not self.subscription.over

    @property
    def balance(self) -> range:
        """What it may be. Credits that last make it one number, whatever is heard in which order.
        Of fleeting ones some may have expired, and which were spent before depends on the order:
        they are all there, or any part of them is not."""
        highest = sum(paid.worth for paid in self.paid) - self.spent
        fleeting = sum(paid.credits for paid in self.paid if paid.fleeting)
        return range(highest - fleeting, highest + 1)
