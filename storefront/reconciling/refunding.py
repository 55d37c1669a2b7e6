"""Refunds against our rows of them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from storefront.payments import Payment
from storefront.reconciling.difference import Difference, Remedy
from storefront.reconciling.look import Look
from storefront.reconciling.reversing import about_reversal, compare_all, gone
from storefront.reconciling.walking import Walk, in_window, some_rows
from storefront.reversals import ACTIVE, Refund
from storefront.stripe_gateway import Listed, RefundFacts
from storefront.subscriptions import Invoice


def compare(look: Look, items: Sequence[Listed[RefundFacts]]) -> list[Difference]:
    return compare_all(look, items, Refund, _of_missing, _of_row)


def _of_missing(source: Payment | Invoice, facts: RefundFacts) -> Iterator[Difference]:
    assert facts.intent_id is not None
    active = facts.status in ACTIVE
    yield Difference(
        "refund_missing",
        money=active,
        what=f"{facts.status} at Stripe, unknown here",
        stripe_id=facts.id,
        our_id=source.id,
        user_id=source.user_id,
        customer_id=facts.customer_id,
        theirs=facts.amount,
        ours=0,
        unit=facts.currency,
        remedy=Remedy("reversals", facts.intent_id),
    )


def _of_row(row: Refund, facts: RefundFacts) -> Iterator[Difference]:
    about = about_reversal(row, facts.id, facts.intent_id)
    about = replace(about, customer_id=facts.customer_id, theirs=facts.amount, ours=row.amount)
    if (facts.amount, facts.currency) != (row.amount, row.currency):
        what = f"refunded in {facts.currency} at Stripe, in {row.currency} here"
        yield replace(about, kind="amount_differs", what=what)
    if facts.status == row.status:
        return
    what = f"{facts.status} at Stripe, {row.status} here"
    active = facts.status in ACTIVE
    if active == (row.status in ACTIVE):
        yield replace(about, kind="status_differs", money=False, what=what)
    else:
        theirs, ours = (facts.amount if active else 0), row.claim
        yield replace(about, what=what, theirs=theirs, ours=ours)


WALK = Walk[RefundFacts](
    "refunds",
    lambda look, after: look.gateway.page_of_refunds(look.window, after),
    compare,
    lambda look, after: some_rows(
        look, Refund.id, Refund.id, after, *in_window(look, Refund.created_at)
    ),
    lambda look, id: look.gateway.look_up_refund(id),
    lambda look, ids: gone(look, Refund, ids),
)
