"""What a comparison finds: one thing that Stripe, our rows and the ledger do not say alike."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

Kind = Literal[
    "paid_not_credited",
    "credited_not_paid",
    "amount_differs",
    "refund_missing",
    "dispute_missing",
    "taken_not_refunded",
    "subscription_differs",
    "invoice_differs",
    "status_differs",
    "unknown_to_us",
    "unknown_to_stripe",
]
KINDS: tuple[Kind, ...] = get_args(Kind)

CREDITS = "credits"
"""The unit of figures that are no money."""


@dataclass(frozen=True)
class Remedy:
    """What the ordinary functions could do about it: settle the `payment` or the `checkout` of an
    intent, fetch its `reversals`, a `subscription`, or the `invoices` of a customer.

    `id` is Stripe's, of what the verb is about. `owner` is the user whose it is, where Stripe's
    customer does not tell any more; `intent_id` is what paid an invoice, so that what went back of
    it is fetched as well.
    """

    verb: Literal["payment", "checkout", "reversals", "subscription", "invoices"]
    id: str
    owner: str | None = None
    intent_id: str | None = None


@dataclass(frozen=True)
class Difference:
    """One difference. `money` says that money or credits differ; other differences are minor.

    `stripe_id` and `our_id` name the two sides (None: there is none); `theirs` and `ours` are the
    figures that differ, in `unit`: minor units of a currency, or credits.
    `changed_at` is when our row last changed.
    """

    kind: Kind
    money: bool
    what: str
    stripe_id: str | None = None
    our_id: str | None = None
    user_id: str | None = None
    customer_id: str | None = None
    theirs: int | None = None
    ours: int | None = None
    unit: str | None = None
    remedy: Remedy | None = None
    changed_at: datetime | None = None

    @property
    def subject(self) -> str:
        """What it is about: Stripe's object, or ours where Stripe has none."""
        return self.stripe_id or self.our_id or ""

    @property
    def severity(self) -> str:
        return "money" if self.money else "minor"
