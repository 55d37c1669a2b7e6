"""Payment intents against payments and the transfers that credited them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import Session

from storefront.checkouts import Checkout
from storefront.ledger import Transfer
from storefront.payments import Payment
from storefront.reconciling import invoicing
from storefront.reconciling.difference import CREDITS, Difference, Remedy
from storefront.reconciling.look import Look
from storefront.reconciling.owning import by, credits_moved, of_customers
from storefront.reconciling.walking import ROWS, Walk, again, in_window, some_rows
from storefront.stripe_gateway import Intent, Listed
from storefront.subscriptions import Invoice

PAID = "succeeded"


@dataclass(frozen=True)
class _Ours:
    """What we know of the intents of a page."""

    payments: dict[str, Payment]
    named: dict[str, Payment]
    invoices: dict[str, Invoice]
    checkouts: dict[str, Checkout]
    users: dict[str, str]
    transfers: dict[str, int]

    @classmethod
    def read(cls, session: Session, items: Sequence[Listed[Intent]]) -> "_Ours":
        ids = [it.facts.id for it in items]
        payments = by(session, Payment, Payment.stripe_intent_id, ids)
        named = by(session, Payment, Payment.id, [it.facts.payment_id for it in items])
        all_of_them = {*(it.id for it in payments.values()), *named}
        return cls(
            payments,
            named,
            by(session, Invoice, Invoice.stripe_intent_id, ids),
            by(session, Checkout, Checkout.id, [it.checkout_id for it in items]),
            of_customers(session, [it.facts.customer_id for it in items]),
            credits_moved(session, [f"payment:{id}" for id in all_of_them]),
        )

    def payment_of(self, intent: Intent) -> Payment | None:
        """As settle() finds it: by the intent, or by our id in its metadata."""
        named = self.named.get(intent.payment_id or "")
        return self.payments.get(intent.id) or (
            named if named is not None and named.stripe_intent_id is None else None
        )

    def transfer_of(self, payment: Payment) -> int | None:
        return self.transfers.get(f"payment:{payment.id}")


def compare(look: Look, items: Sequence[Listed[Intent]]) -> list[Difference]:
    ours = _Ours.read(look.session, items)
    found: list[Difference] = []
    invoices: list[str] = []
    unexplained: list[Intent] = []
    for item in items:
        intent = item.facts
        payment, invoice = ours.payment_of(intent), ours.invoices.get(intent.id)
        if payment is not None:
            found += _of_payment(payment, intent, ours.transfer_of(payment))
        elif invoice is not None:
            if intent.status == PAID and invoice.credited_at is None:
                invoices.append(invoice.id)  # it may be older than the window
        elif not _is_somehow_ours(ours, item):
            look.tally.foreign += 1
        elif intent.status == PAID and (intent.payment_id or item.checkout_id):
            found.append(_paid_for_nothing_known(ours, item))
        elif intent.status == PAID:
            unexplained.append(intent)
    for invoice_id in invoices:
        found += again(look, invoicing.WALK, invoice_id)
    for intent in unexplained:
        found += _explained(look, ours, intent)
    return found


def gone(look: Look, intent_ids: Sequence[str]) -> list[Difference]:
    """Rows whose intent Stripe does not have. One that was given up counts for nothing."""
    rows = by(look.session, Payment, Payment.stripe_intent_id, intent_ids).values()
    return [_unknown_to_stripe(row) for row in rows if row.status != "canceled"]


def without_intent(look: Look) -> Iterator[Difference]:
    """Payments that are said to be paid, or were credited, and name no intent that was paid. (What
    a discount made free has none.)"""
    charged = or_(Payment.amount_received > 0, Payment.kind == "top_up")
    credited = exists().where(Transfer.id == "payment:" + Payment.id)
    query = select(Payment).where(
        Payment.stripe_intent_id.is_(None),
        or_(and_(Payment.status == PAID, charged), and_(Payment.status != PAID, credited)),
        *in_window(look, Payment.created_at),
    )
    after = ""
    while rows := look.session.scalars(
        query.where(Payment.id > after).order_by(Payment.id).limit(ROWS)
    ).all():
        after = rows[-1].id
        yield from look.told([_unknown_to_stripe(row) for row in rows])


def _is_somehow_ours(ours: _Ours, item: Listed[Intent]) -> bool:
    claims = item.facts.payment_id or item.checkout_id
    return claims is not None or item.facts.customer_id in ours.users


def _of_payment(payment: Payment, intent: Intent, credited: int | None) -> Iterator[Difference]:
    about = _about(payment, intent)
    if intent.status != PAID:
        yield from _of_unpaid(about, payment, intent, credited)
    elif payment.status != PAID:
        yield replace(
            about,
            kind="paid_not_credited",
            what=f"paid at Stripe, {payment.status} here",
            theirs=intent.amount_received,
            ours=0,
            unit=intent.currency,
        )
    else:
        yield from _of_paid(about, payment, intent, credited)


def _of_unpaid(
    about: Difference, payment: Payment, intent: Intent, credited: int | None
) -> Iterator[Difference]:
    """Among unpaid states only the last one counts: the others may lag behind in an abandoned
    payment. What is paid at Checkout is closed by its session, not by its intent."""
    if payment.status == PAID or credited is not None:
        yield replace(
            about,
            kind="credited_not_paid",
            what=f"{intent.status} at Stripe, {payment.status} here",
            theirs=0,
            ours=credited or 0,
            unit=CREDITS,
            remedy=None,
        )
    elif payment.kind == "top_up" and (intent.status == "canceled") != (
        payment.status == "canceled"
    ):
        what = f"{intent.status} at Stripe, {payment.status} here"
        yield replace(about, kind="status_differs", money=False, what=what)


def _of_paid(
    about: Difference, payment: Payment, intent: Intent, credited: int | None
) -> Iterator[Difference]:
    if (intent.amount_received, intent.currency) != (payment.amount_received, payment.currency):
        yield replace(
            about,
            kind="amount_differs",
            what=f"received in {intent.currency} at Stripe, in {payment.currency} here",
            theirs=intent.amount_received,
            ours=payment.amount_received,
            unit=intent.currency,
        )
    if credited is None and payment.credits:
        what = f"the ledger has no transfer payment:{payment.id}"
        bought = replace(about, theirs=payment.credits, ours=0, unit=CREDITS)
        yield replace(bought, kind="paid_not_credited", what=what)
    elif credited is not None and credited != payment.credits:
        what = f"the transfer payment:{payment.id} moved other credits than were bought"
        moved = replace(about, theirs=payment.credits, ours=credited, unit=CREDITS, remedy=None)
        yield replace(moved, kind="amount_differs", what=what)


def _about(payment: Payment, intent: Intent) -> Difference:
    """What every difference of a payment says; its kind is still to be told."""
    return Difference(
        "paid_not_credited",
        money=True,
        what="",
        stripe_id=intent.id,
        our_id=payment.id,
        user_id=payment.user_id,
        customer_id=intent.customer_id,
        remedy=Remedy("payment" if payment.kind == "top_up" else "checkout", intent.id),
        changed_at=payment.updated_at,
    )


def _paid_for_nothing_known(ours: _Ours, item: Listed[Intent]) -> Difference:
    """A paid intent that says what it is of, and is of no payment here."""
    intent = item.facts
    about = Difference(
        "unknown_to_us",
        money=True,
        what="",
        stripe_id=intent.id,
        our_id=intent.payment_id or item.checkout_id,
        user_id=ours.users.get(intent.customer_id or ""),
        customer_id=intent.customer_id,
        theirs=intent.amount_received,
        ours=0,
        unit=intent.currency,
    )
    checkout = ours.checkouts.get(item.checkout_id or "")
    named = ours.named.get(intent.payment_id or "")
    if checkout is not None:
        what = f"paid at Stripe, its checkout is {checkout.status} here"
        remedy = Remedy("checkout", intent.id)
        return replace(about, kind="paid_not_credited", what=what, remedy=remedy)
    if named is not None:
        what = f"paid at Stripe, but {named.id} goes on with {named.stripe_intent_id}"
        return replace(about, what=what)
    return replace(about, what=f"paid at Stripe for {about.our_id}, which is not here")


def _explained(look: Look, ours: _Ours, intent: Intent) -> list[Difference]:
    """Money of a customer of ours that names nothing of ours: an invoice that is unknown here, or
    something that was charged by hand."""
    invoice_id = look.ask(lambda: look.gateway.find_invoice_of(intent.id))
    if invoice_id is not None:
        return again(look, invoicing.WALK, invoice_id)
    return [
        Difference(
            "unknown_to_us",
            money=False,
            what="paid by a customer of ours, for nothing that this shop sold",
            stripe_id=intent.id,
            user_id=ours.users.get(intent.customer_id or ""),
            customer_id=intent.customer_id,
            theirs=intent.amount_received,
            unit=intent.currency,
        )
    ]


def _unknown_to_stripe(payment: Payment) -> Difference:
    paid = payment.status == PAID or payment.stripe_intent_id is None
    if payment.stripe_intent_id is None:
        what = f"{payment.status} here and credited, but nobody paid it at Stripe"
    else:
        what = f"{payment.status} here, and Stripe does not have its intent"
    return Difference(
        "unknown_to_stripe",
        money=paid,
        what=what,
        stripe_id=payment.stripe_intent_id,
        our_id=payment.id,
        user_id=payment.user_id,
        theirs=None,
        ours=payment.amount_received if paid else payment.amount_cents,
        unit=payment.currency,
        changed_at=payment.updated_at,
    )


WALK = Walk[Intent](
    "payment intents",
    lambda look, after: look.gateway.page_of_intents(look.window, after),
    compare,
    lambda look, after: some_rows(
        look, Payment.id, Payment.stripe_intent_id, after, *in_window(look, Payment.created_at)
    ),
    lambda look, id: look.gateway.look_up_intent(id),
    gone,
)
