"""What follows a paid charge by itself when its test card says so: a dispute, a warning."""

from __future__ import annotations

from collections.abc import Callable

from . import dispute_life, early_fraud_warnings
from .account import Work
from .payment_methods import behaviour_of
from .records import Record

AFTERMATH_SECONDS = 1
_INQUIRY = "dispute_inquiry"
_DISPUTES = {  # aftermath -> reason, and whether it is an inquiry only
    "dispute_fraudulent": ("fraudulent", False),
    "dispute_product_not_received": ("product_not_received", False),
    _INQUIRY: ("fraudulent", True),
}


def begin(work: Work, id: str, aftermath: str) -> None:
    """Promise what follows the charge; an inquiry is there at once, since the fixtures of Stripe's
    CLI ask for it in the next request."""
    if aftermath == _INQUIRY:
        follow(work, id)
    else:
        work.later(AFTERMATH_SECONDS, "aftermath", id)


def follow(work: Work, id: str) -> None:
    """Do what the charge's card promises (a timer); what is refunded by then is not disputed."""
    charge = work.tx.get("charge", id)
    if charge is None or charge.body["refunded"]:
        return
    method = work.find("payment_method", charge.body["payment_method"], "payment_method")
    aftermath = behaviour_of(method).aftermath
    if aftermath == "early_fraud_warning":
        early_fraud_warnings.warn(work, charge, early_fraud_warnings.FRAUD_TYPES[0])
    elif aftermath in _DISPUTES:
        reason, inquiry = _DISPUTES[aftermath]
        dispute_life.open_dispute(work, charge, _left(charge), reason, inquiry=inquiry)


def _left(charge: Record) -> int:
    left: int = charge.body["amount_captured"] - charge.body["amount_refunded"]
    return left


TIMERS: dict[str, Callable[[Work, str], None]] = {"aftermath": follow}
