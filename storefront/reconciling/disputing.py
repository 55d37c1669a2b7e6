"""Disputes against our rows of them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from storefront.payments import Payment
from storefront.reconciling.difference import Difference, Remedy
from storefront.reconciling.look import Look
from storefront.reconciling.reversing import about_reversal, compare_all, gone
from storefront.reconciling.walking import Walk, in_window, some_rows
from storefront.reversals import Dispute
from storefront.stripe_gateway import DisputeFacts, Listed
from storefront.subscriptions import Invoice


def compare(look: Look, items: Sequence[Listed[DisputeFacts]]) -> list[Difference]:
    return compare_all(look, items, Dispute, _of_missing, _of_row)


def held(facts: DisputeFacts) -> int:
    """How much of a payment the bank has, as apply_dispute() counts it."""
    withdrawn = facts.amount if facts.withdrawn else 0
    return max(0, withdrawn - min(facts.reinstated, facts.amount))


def _of_missing(source: Payment | Invoice, facts: DisputeFacts) -> Iterator[Difference]:
    assert facts.intent_id is not None
    yield Difference(
        "dispute_missing",
        money=held(facts) > 0,
        what=f"{facts.status} at Stripe, unknown here",
        stripe_id=facts.id,
        our_id=source.id,
        user_id=source.user_id,
        theirs=held(facts),
        ours=0,
        unit=facts.currency,
        remedy=Remedy("reversals", facts.intent_id),
    )


def _of_row(row: Dispute, facts: DisputeFacts) -> Iterator[Difference]:
    about = about_reversal(row, facts.id, facts.intent_id)
    about = replace(about, kind="dispute_missing", theirs=held(facts), ours=row.claim)
    behind = (facts.withdrawn > 0) > (row.withdrawn > 0) or (facts.reinstated > 0) > (
        row.reinstated > 0
    )
    if behind:
        yield replace(about, what="the bank moved money that is not recorded here")
    elif held(facts) != row.claim or facts.currency != row.currency:
        what = f"the bank has {held(facts)} {facts.currency}, {row.claim} {row.currency} here"
        yield replace(about, kind="amount_differs", what=what)
    elif facts.status != row.status:
        what = f"{facts.status} at Stripe, {row.status} here"
        yield replace(about, kind="status_differs", money=False, what=what)


WALK = Walk[DisputeFacts](
    "disputes",
    lambda look, after: look.gateway.page_of_disputes(look.window, after),
    compare,
    lambda look, after: some_rows(
        look, Dispute.id, Dispute.id, after, *in_window(look, Dispute.created_at)
    ),
    lambda look, id: look.gateway.look_up_dispute(id),
    lambda look, ids: gone(look, Dispute, ids),
)
