"""`flask doctor`: is everything as it must be for money to arrive and credits to be right? Each
check looks, changes nothing, and says what it found and what mends it."""

from storefront.doctor.checks import CHECKS, Check, examine, look
from storefront.doctor.findings import EXIT_CODES, Finding, Named, failure, worst
from storefront.doctor.visit import Visit

__all__ = [
    "CHECKS",
    "EXIT_CODES",
    "Check",
    "Finding",
    "Named",
    "Visit",
    "examine",
    "failure",
    "look",
    "worst",
]
