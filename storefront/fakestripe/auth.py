"""API keys: what the stand-in accepts as whom, and refuses as Stripe does.

Any well-formed test key belongs to the one account, because official clients bring their own.
"""

from __future__ import annotations

import base64
import binascii
import re

from werkzeug.datastructures import Headers

from .errors import ApiError
from .store import Transaction

_SECRET = re.compile(r"^(sk|rk)_test_[A-Za-z0-9_]{8,255}$")
_PUBLISHABLE = re.compile(r"^pk_test_[A-Za-z0-9_]{8,255}$")
_LIVE = re.compile(r"^(sk|rk|pk)_live_")
_REVOKED = "revoked:"

MISSING = (
    "You did not provide an API key. You need to provide your API key in the Authorization"
    " header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See"
    " https://stripe.com/docs/api#authentication for details, or we can help at"
    " https://support.stripe.com/."
)
LIVE = (
    "fakestripe is a stand-in for Stripe and never takes live keys. Nothing was done."
    " Use a test key, and treat this live key as exposed if anybody else could see the request."
)
PUBLISHABLE = (
    "This API call cannot be made with a publishable API key. Please use a secret API key. You"
    " can find a list of your API keys at https://dashboard.stripe.com/account/apikeys."
)


def authenticate(headers: Headers, tx: Transaction) -> str:
    """Return the key of a request; raise 401 when it is missing, malformed, live or revoked."""
    key = _key(headers.get("Authorization", ""))
    if not key:
        raise ApiError(401, MISSING)
    if _LIVE.match(key):
        raise ApiError(401, LIVE)
    if not _SECRET.match(key) and not _PUBLISHABLE.match(key):
        raise ApiError(401, f"Invalid API Key provided: {masked(key)}")
    if tx.meta(_REVOKED + key):
        raise ApiError(401, f"Expired API Key provided: {masked(key)}", code="api_key_expired")
    return key


def is_publishable(key: str) -> bool:
    """Tell whether a key may be seen by browsers, and so may do little."""
    return bool(_PUBLISHABLE.match(key))


def refuse_publishable() -> ApiError:
    """Return the refusal of a publishable key where a secret one is needed."""
    return ApiError(401, PUBLISHABLE, code="secret_key_required")


def revoke(key: str, tx: Transaction) -> None:
    """Make a key stop working, as rolling it in the Dashboard does."""
    tx.set_meta(_REVOKED + key, "1")


def masked(key: str) -> str:
    """Return a key with all but its prefix and its last four characters starred out."""
    prefix = re.match(r"^(?:[a-z]{2}_(?:test|live)_)?", key)
    start = prefix.group(0) if prefix else ""
    rest = key[len(start) :]
    hidden = max(len(rest) - 4, 0)
    return start + "*" * hidden + rest[hidden:] if hidden else start + "*" * len(rest)


def _key(header: str) -> str:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            user = base64.b64decode(value, validate=True).decode("ascii")
        except (binascii.Error, UnicodeDecodeError):
            return ""
        return user.partition(":")[0]
    return ""
