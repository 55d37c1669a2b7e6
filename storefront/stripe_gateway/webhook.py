"""Is this webhook request Stripe's? verify_header and json.loads: construct_event costs twenty
times as much and accepts timestamps in the future (stripe-python 16, `_webhook.py`)."""

import re
import time

import stripe
from stripe import WebhookSignature

from storefront.errors import BadInput, BadSignature

SIGNATURE_TOLERANCE_SECONDS = 300


def verified_text(body: bytes, signature: str | None, secrets: tuple[str, ...]) -> str:
    """The body as text, if one of `secrets` signed it within the last five minutes.
    Raises BadSignature, BadInput."""
    if not signature:
        raise BadSignature("The Stripe-Signature header is missing.")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput("The body is not UTF-8.") from None
    if not any(_signed_with(secret, text, signature) for secret in secrets):
        raise BadSignature("No signature matches, or the timestamp is too old.")
    if _timestamp(signature) > time.time() + SIGNATURE_TOLERANCE_SECONDS:
        raise BadSignature("The timestamp is in the future.")
    return text


def signature(body: bytes, secret: str) -> str:
    """The header with which Stripe would send this body now."""
    return str(WebhookSignature.generate_signature_header(body.decode(), secret))


def _signed_with(secret: str, text: str, signature: str) -> bool:
    try:
        WebhookSignature.verify_header(text, signature, secret, SIGNATURE_TOLERANCE_SECONDS)
    except (stripe.SignatureVerificationError, ValueError, TypeError):
        return False  # TypeError: characters beyond ASCII cannot be compared
    return True


def _timestamp(signature: str) -> int:
    """The `t` of the header. Raises BadSignature when there is no plain one."""
    found = re.search(r"(?:^|,)t=([0-9]{1,12})(?:,|$)", signature)
    if not found:
        raise BadSignature("The Stripe-Signature header has no usable timestamp.")
    return int(found[1])
