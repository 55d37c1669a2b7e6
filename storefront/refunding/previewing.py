"""What can be refunded of a payment or an invoice, and what that would do to the credits."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from storefront import ledger, reversals
from storefront.db import utcnow
from storefront.errors import BadInput, NotFound
from storefront.money import format_money, minor_units
from storefront.payments import Payment
from storefront.rehearsal import rehearse
from storefront.stripe_gateway import RefundFacts
from storefront.subscriptions import Invoice


@dataclass(frozen=True)
class Refundable:
    """A payment or an invoice that money may go back of. Amounts in minor units; `disputed` is what
    the customer's bank has taken."""

    subject: str
    payment_id: str | None
    invoice_id: str | None
    user_id: str
    intent_id: str
    currency: str
    received: int
    refunded: int
    disputed: int

    @property
    def left(self) -> int:
        return max(0, self.received - self.refunded - self.disputed)

    @property
    def left_text(self) -> str:
        """What is left, as the form takes it: 10.50."""
        units = minor_units(self.currency)
        whole, part = divmod(self.left, units)
        return str(whole) if units == 1 else f"{whole}.{part:02}"

    def check(self, amount: int) -> None:
        """Raises BadInput when so much cannot go back."""
        if amount > self.left:
            there = format_money(self.left, self.currency)
            raise BadInput(f"At most {there} of this payment can be refunded.")


@dataclass(frozen=True)
class Preview:
    """What a refund would do: the `credits` it takes back, and the balance before and after."""

    amount: int
    credits: int
    balance_before: int
    balance_after: int

    @property
    def debt(self) -> int:
        """Credits that the customer would owe."""
        return max(0, -self.balance_after)


def refundable(session: Session, subject: str, *, lock: bool = False) -> Refundable:
    """What is refundable of `pay_…` or `in_…`. Raises NotFound, and BadInput when nothing was paid
    that Stripe could give back."""
    row = _row(session, subject, lock)
    received = row.amount_received if isinstance(row, Payment) else row.amount_paid
    if not received or row.stripe_intent_id is None:
        raise BadInput("No money was received for this, so that nothing can be refunded.")
    of = reversals.of_payment if isinstance(row, Payment) else reversals.of_invoice
    back = of(session, subject)
    return Refundable(
        subject=subject,
        payment_id=subject if isinstance(row, Payment) else None,
        invoice_id=None if isinstance(row, Payment) else subject,
        user_id=row.user_id,
        intent_id=row.stripe_intent_id,
        currency=row.currency,
        received=received,
        refunded=sum(it.claim for it in back.refunds),
        disputed=sum(it.claim for it in back.disputes),
    )


def _row(session: Session, subject: str, lock: bool) -> Payment | Invoice:
    found: Payment | Invoice | None
    locked = lock or None
    if subject.startswith("in_"):
        found = session.get(Invoice, subject, populate_existing=True, with_for_update=locked)
    else:
        found = session.get(Payment, subject, populate_existing=True, with_for_update=locked)
    if found is None:
        raise NotFound("There is no such payment.")
    return found


def preview(what: Refundable, amount: int) -> Preview:
    """What a refund of `amount` minor units would do, by doing it with the very function that will
    apply it, inside a transaction that is rolled back. Raises BadInput."""
    what.check(amount)
    facts = RefundFacts(
        id="re_preview",
        status="succeeded",
        amount=amount,
        currency=what.currency,
        intent_id=what.intent_id,
        customer_id=None,
        reason=None,
        failure_reason=None,
        created=utcnow(),
    )

    def act(session: Session) -> Preview:
        before = ledger.balance(session, what.user_id)
        refund = reversals.apply_refund(session, facts)
        assert refund is not None, "what is refundable is known"
        after = ledger.balance(session, what.user_id)
        return Preview(amount, refund.credits_taken, before, after)

    return rehearse(act)[0]
