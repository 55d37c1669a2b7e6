"""Errors that customers and callers may see: a status, a code, one sentence.

Everything else that is raised is a programming error and ends as a plain 500.
"""


class StorefrontError(Exception):
    """A refusal with a reason that may be shown. `detail` is one sentence for the reader."""

    status = 500
    code = "internal_error"
    title = "Something went wrong"

    def __init__(self, detail: str, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds


class ConfigError(StorefrontError):
    """A setting is missing or contradicts another; the shop does not start."""

    code = "configuration_error"
    title = "The configuration is not usable"


class BadInput(StorefrontError):
    """What was sent cannot be used; the detail says what would be right."""

    status = 400
    code = "bad_input"
    title = "That cannot be used"


class NotFound(StorefrontError):
    """Nothing here, or nothing of yours: the two are told alike."""

    status = 404
    code = "not_found"
    title = "Not found"


class TooMany(StorefrontError):
    """A limit was reached; `retry_after_seconds` says when to come back."""

    status = 429
    code = "too_many_requests"
    title = "Too many attempts"


class InsufficientCredits(StorefrontError):
    """A spend is larger than the balance; nothing was moved."""

    status = 409
    code = "insufficient_credits"
    title = "Not enough credits"


class Disputed(StorefrontError):
    """The customer's bank disputes a payment, and the shop waits until that is settled."""

    status = 403
    code = "payment_disputed"
    title = "A payment is disputed"


class TransferConflict(StorefrontError):
    """A transfer id is taken by a transfer with another content; nothing was moved."""

    status = 409
    code = "transfer_conflict"
    title = "This id is taken by another transfer"


class StripeUnavailable(StorefrontError):
    """Stripe did not answer, or answered that it cannot now. The outcome may be unknown:
    repeat with the same idempotency key."""

    status = 503
    code = "stripe_unavailable"
    title = "The payment service does not answer"


class StripeFailed(StripeUnavailable):
    """Stripe answered 500. The outcome is unknown, and Stripe repeats this answer for the same
    idempotency key (docs.stripe.com/api/idempotent_requests): go on with another one."""


class StripeRateLimited(StripeUnavailable):
    """Stripe asked us to slow down; nothing was done."""

    code = "stripe_rate_limited"
    title = "The payment service is busy"


class StripeRefused(StorefrontError):
    """Stripe refused our request: a mistake of ours or of the configuration."""

    status = 502
    code = "stripe_refused"
    title = "The payment service refused the request"


class BadSignature(StorefrontError):
    """A webhook request was not signed by Stripe with a secret of ours, or not lately."""

    status = 400
    code = "bad_signature"
    title = "The signature is not valid"


class WebhookNotConfigured(StorefrontError):
    """No signing secret is configured, so nothing can be trusted and nothing is done."""

    status = 503
    code = "webhook_not_configured"
    title = "The webhook has no signing secret"


class Unprocessable(StorefrontError):
    """A genuine Stripe event contradicts our own records or cannot be read.

    Repeating it cannot help: the event is parked for a person, and nothing is credited.
    """

    status = 422
    code = "unprocessable_event"
    title = "The event contradicts our records"
