"""A payment's life: opened, then whatever Stripe says of its intent, until it is settled.

open_top_up() starts one, settle() is the one function that applies what Stripe says, called by
the webhook, by refresh() (return page) and by end(), which closes what nobody goes on with. The
row is committed before Stripe is called, so that an intent always finds its row; what a payment
costs and brings is fixed in that row.
"""

from storefront.payments.opening import ADOPTION_AGE, Opened, open_top_up
from storefront.payments.settling import ASKING_INTERVAL, promise_settled, refresh, settle
from storefront.payments.stale import Ending, end
from storefront.payments.tables import UNPAID, UNSETTLED, Payment, find

__all__ = [
    "ADOPTION_AGE",
    "ASKING_INTERVAL",
    "UNPAID",
    "UNSETTLED",
    "Ending",
    "Opened",
    "Payment",
    "end",
    "find",
    "open_top_up",
    "promise_settled",
    "refresh",
    "settle",
]
