"""Nothing stays open for ever: payments and checkouts that nobody went on with are brought to an
end, one after the other, at Stripe and here.

What is found to be paid is settled; what is on its way is left alone; all else is canceled, so that
nobody pays today for what was chosen last week. Safe while customers pay, to be killed, and to be
done twice at once: Stripe decides each, and its answer is applied by the function that applies all
of Stripe's answers.
"""

from storefront.sweeping.walking import IDLE, Place, Swept, sweep

__all__ = ["IDLE", "Place", "Swept", "sweep"]
