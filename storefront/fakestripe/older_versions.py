"""What clients say in the words of API versions before the pinned one.

The SDKs name their version with each request, and a request without one is taken in the pinned
version. The fixtures of Stripe's CLI name none and rely on an account whose default version is
older, so the CLI finds one here. Answers are in the pinned version always.
"""

from __future__ import annotations

from werkzeug.datastructures import Headers

from .errors import JSON
from .params import Fields

ENDIVE = "2026-09-30"
OLD, NEW = "payment_method_types", "allowed_payment_method_types"
CLI = "stripe-cli/"


def translated(given: JSON, fields: Fields, headers: Headers) -> JSON:
    """Return the parameters with what endive has replaced under its new name."""
    if OLD not in given or NEW in given or NEW not in fields.shapes or not _is_older(headers):
        return given
    return {NEW if name == OLD else name: value for name, value in given.items()}


def _is_older(headers: Headers) -> bool:
    version = headers.get("Stripe-Version")
    if version is None:
        return CLI in headers.get("User-Agent", "")
    return version[: len(ENDIVE)] < ENDIVE
