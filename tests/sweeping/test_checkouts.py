"""Visits to Checkout that came to nothing, and those that came to something unheard."""

from dataclasses import dataclass

from tests.support import books
from tests.support.at_checkout import FAILING, PROCESSING, VISA, confirms, opens_checkout
from tests.support.builders import Customer
from tests.support.checkouts import rows
from tests.support.served import ServedShop
from tests.support.swept import (
    at_stripe,
    expire_stale,
    forgets_its_session,
    grows_old,
    statuses,
    told,
)


@dataclass(frozen=True)
class Went:
    """A customer who went to Checkout; `id` is the checkout's, `session_id` Stripe's."""

    customer: Customer
    id: str
    session_id: str


def goes(shop: ServedShop, card: str | None = None, plan: str = "standard_pack") -> Went:
    """Paying there with this card, if any; nobody hears of it."""
    customer = shop.a_buyer()
    interval = "one_time" if plan == "standard_pack" else "monthly"
    opened = opens_checkout(shop.app, customer, plan, interval)
    if card is not None:
        confirms(opened, card)
    assert opened.checkout_id is not None
    row = rows(shop.app, "checkouts")[opened.checkout_id]
    return Went(customer, opened.checkout_id, row["stripe_session_id"])


def test_what_nobody_paid_is_closed_and_what_was_paid_is_settled(selling: ServedShop) -> None:
    left, paid, subscribed = (
        goes(selling),
        goes(selling, VISA),
        goes(selling, VISA, "premium_plan"),
    )
    grows_old(selling.app)
    assert [told(expire_stale(selling.app, "--dry-run")[1], it.id) for it in (left, paid)] == [
        "would be canceled",
        "would be settled",
    ]
    code, lines = expire_stale(selling.app)
    assert (code, told(lines, left.id)) == (0, "canceled")
    assert told(lines, paid.id) == told(lines, subscribed.id) == "settled"
    assert at_stripe(selling.stripe, left.session_id)["status"] == "expired"
    assert statuses(selling.app)[left.id] == "expired"
    assert selling.balance(paid.customer) == 3000
    selling.work_once()
    (subscription,) = rows(selling.app, "subscriptions").values()
    assert (subscription["user_id"], subscription["status"]) == (subscribed.customer.id, "active")
    assert expire_stale(selling.app)[1][-1].startswith("settled: 0, canceled: 0, left alone: 0")
    books.assert_clean(selling.app)


def test_rows_that_do_not_know_their_session_are_looked_up_at_stripe(selling: ServedShop) -> None:
    left, paid, never = goes(selling), goes(selling, VISA), goes(selling)
    for each in (left, paid, never):
        forgets_its_session(selling.app, each.id)
    forget = "UPDATE users SET stripe_customer_id = NULL WHERE id = :id"
    books.execute(selling.app, forget, id=never.customer.id)
    grows_old(selling.app)
    code, lines = expire_stale(selling.app)
    said = [told(lines, it.id) for it in (left, paid, never)]
    assert (code, said) == (0, ["canceled", "settled", "canceled"])
    assert at_stripe(selling.stripe, left.session_id)["status"] == "expired"
    assert [statuses(selling.app)[it.id] for it in (left, paid, never)] == [
        "expired",
        "complete",
        "expired",
    ]
    assert selling.balance(paid.customer) == 3000


def test_a_purchase_that_a_slow_bank_decided_unheard_is_settled_or_closed(
    selling: ServedShop,
) -> None:
    """The session is complete at once, and its payment goes on for days."""
    comes, fails = goes(selling, PROCESSING), goes(selling, FAILING)
    grows_old(selling.app)
    code, lines = expire_stale(selling.app)
    assert (code, told(lines, comes.id), told(lines, fails.id)) == (0, "left alone", "left alone")
    selling.stripe.advance(600)
    grows_old(selling.app)
    code, lines = expire_stale(selling.app)
    ends = {id: told(lines, id) for id in books.read(selling.app).payments}
    assert (code, sorted(ends.values())) == (0, ["canceled", "settled"])
    assert selling.balance(comes.customer) == 3000
    assert selling.balance(fails.customer) == 0
    books.assert_clean(selling.app)
