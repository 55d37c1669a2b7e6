"""How every call to Stripe is made: outside of transactions, and with errors of our own."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import stripe
from stripe import ListObject, StripeClient, StripeObject

from storefront.db import end_reading
from storefront.errors import (
    NotFound,
    StorefrontError,
    StripeFailed,
    StripeRateLimited,
    StripeRefused,
    StripeUnavailable,
)
from storefront.observing import counting

RETRY_AFTER_SECONDS = 10
PAGE = 100
"""Stripe's largest page."""

_T = TypeVar("_T")
Json = Mapping[str, Any]
About = Mapping[str, NotFound]
"""What to raise when Stripe does not know what this parameter names."""


class CustomerMissing(NotFound):
    """The Stripe customer that we remember does not exist (any more) for these keys."""

    def __init__(self, customer_id: str) -> None:
        super().__init__("The payment service does not know this customer.")
        self.customer_id = customer_id


class PriceMissing(NotFound):
    """The price that we remember cannot be bought: unknown for these keys, or archived."""

    def __init__(self, price_id: str) -> None:
        super().__init__("This is not available at the moment.")
        self.price_id = price_id


class ConfigurationMissing(NotFound):
    """The portal configuration that we remember cannot be used: unknown, or switched off."""

    def __init__(self, configuration_id: str) -> None:
        super().__init__("The payment service does not know this portal configuration.")
        self.configuration_id = configuration_id


class Calls:
    """The parent of the groups of calls: one account, one client."""

    _client: StripeClient


def translated(
    call: Callable[[], _T], about: About | None = None, *, operation: str | None = None
) -> _T:
    """Make the call; Stripe's exceptions end here, each as one of ours. It is counted under the
    name of the operation, which is that of the method that calls, unless it says otherwise."""
    end_reading()
    with counting.stripe_call(operation or operation_of(call)):
        return _made(call, about or {})


def operation_of(call: Callable[..., object]) -> str:
    """create_payment_intent for a lambda in that method; ChargeService.list for that method."""
    name = call.__qualname__
    return name.split(".<locals>")[0].rsplit(".")[-1] if "<lambda>" in name else name


def _made(call: Callable[[], _T], about: About) -> _T:
    try:
        return call()
    except stripe.RateLimitError as error:
        raise StripeRateLimited(
            "The payment service is busy. Nothing was charged; try again in a moment.",
            retry_after_seconds=RETRY_AFTER_SECONDS,
        ) from error
    except (stripe.InvalidRequestError, stripe.IdempotencyError) as error:
        raise _refusal(error, about) from error
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        raise StripeRefused(
            "The payment service does not accept the configured key. Nothing was charged."
        ) from error
    except stripe.StripeError as error:  # no answer, a broken one, 409 or 5xx: outcome unknown
        kind = StripeFailed if error.http_status == 500 else StripeUnavailable
        raise kind(
            "The payment service does not answer. Nothing was charged; try again in a moment.",
            retry_after_seconds=RETRY_AFTER_SECONDS,
        ) from error


def all_pages(call: Callable[[], ListObject[Any]]) -> list[dict[str, Any]]:
    """Every object of a list as plain JSON, in Stripe's order: the newest first."""
    return translated(
        lambda: [_plain(each) for each in call().auto_paging_iter()], operation=operation_of(call)
    )


def reason(error: StorefrontError) -> str:
    """What Stripe itself said, for operators; our own sentence when it said nothing. (What it says
    of a wrong key stays out: it repeats a part of it.)"""
    said = error.__cause__
    if isinstance(said, stripe.InvalidRequestError | stripe.IdempotencyError):
        return str(said.user_message or error.detail)
    return error.detail


def code_of(error: StorefrontError) -> str | None:
    """Stripe's code of a refusal, such as resource_already_exists."""
    said = error.__cause__
    return said.code if isinstance(said, stripe.InvalidRequestError) else None


def _plain(found: StripeObject) -> dict[str, Any]:
    return found.to_dict()


def _refusal(
    error: stripe.InvalidRequestError | stripe.IdempotencyError, about: About
) -> NotFound | StripeRefused:
    """An idempotency key that was used for something else is a mistake of ours like any other."""
    known = about.get(getattr(error, "param", None) or "")
    if error.code == "resource_missing":
        return known or NotFound("The payment service does not know this object.")
    if isinstance(known, PriceMissing | ConfigurationMissing):  # known to Stripe, and inactive
        return known
    return StripeRefused("The payment service refused the request. Nothing was charged.")
