"""What money flows back of: a payment or a subscription's invoice, with the credits it brought."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from storefront import ledger, users
from storefront.errors import Unprocessable
from storefront.payments import Payment
from storefront.subscriptions import Invoice, PlanCredit


@dataclass(frozen=True)
class Source:
    """A payment or an invoice, locked. `received` is what was paid for it, in minor units;
    `credits` is what it brought, by the transfers `grants`."""

    payment: Payment | None
    invoice: Invoice | None
    user_id: str
    currency: str
    received: int
    credits: int
    grants: tuple[str, ...]

    @property
    def payment_id(self) -> str | None:
        return self.payment.id if self.payment else None

    @property
    def invoice_id(self) -> str | None:
        return self.invoice.id if self.invoice else None

    def taken_back(self, claimed: int) -> int:
        """How many credits are to be back when so much of the money is claimed."""
        return ledger.credits_taken_back(self.credits, self.received, claimed)

    def check_currency(self, id: str, currency: str) -> None:
        """Raises Unprocessable when a reversal is in another currency than the payment was."""
        if currency != self.currency:
            ours = self.payment_id or self.invoice_id
            raise Unprocessable(f"{id} is in {currency}, but {ours} was paid in {self.currency}.")


def find(session: Session, intent_id: str | None) -> Source | None:
    """What a payment intent paid, locked until the end of the transaction; None when that is
    unknown here, or not known to be paid. A top-up whose payment we have not heard of yet counts as
    paid: what is taken back of it is a debt, and its credits pay that."""
    if intent_id is None:
        return None
    payment = _payment(session, intent_id)
    if payment is not None:
        return _of_payment(payment)
    invoice = session.scalar(select(Invoice).where(_paid_by(intent_id)).limit(1))
    return None if invoice is None else of_invoice(session, invoice.id)


def of_invoice(session: Session, invoice_id: str) -> Source:
    """An invoice with what it has brought so far, locked with its customer."""
    user_id = session.scalar(select(Invoice.user_id).where(Invoice.id == invoice_id))
    assert user_id is not None, "the invoice is there"
    users.lock(session, user_id)
    invoice = session.get_one(Invoice, invoice_id, populate_existing=True)
    lines = session.scalars(
        select(PlanCredit)
        .where(PlanCredit.invoice_id == invoice_id)
        .execution_options(populate_existing=True)
    ).all()
    return Source(
        payment=None,
        invoice=invoice,
        user_id=user_id,
        currency=invoice.currency,
        received=invoice.amount_paid,
        credits=sum(line.granted for line in lines),
        grants=tuple(id for line in lines for id in _transfers(line)),
    )


def _payment(session: Session, intent_id: str) -> Payment | None:
    query = select(Payment).where(Payment.stripe_intent_id == intent_id).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def _of_payment(payment: Payment) -> Source | None:
    """What a purchase cost is known once it is paid: a discount may have been taken off."""
    paid = payment.status == "succeeded"
    received = payment.amount_received if paid else payment.amount_cents
    if received == 0 or not (paid or payment.kind == "top_up"):
        return None
    return Source(
        payment=payment,
        invoice=None,
        user_id=payment.user_id,
        currency=payment.currency,
        received=received,
        credits=payment.credits,
        grants=(f"payment:{payment.id}",),
    )


def _paid_by(intent_id: str) -> ColumnElement[bool]:
    return (Invoice.stripe_intent_id == intent_id) & (Invoice.amount_paid > 0)


def _transfers(line: PlanCredit) -> list[str]:
    """The transfers that granted a line's installments so far."""
    first = f"invoice:{line.id}"
    return [first if number == 1 else f"{first}:{number}" for number in range(1, line.done + 1)]
