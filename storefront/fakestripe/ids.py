"""Identifiers that look like Stripe's: a prefix and random letters and digits."""

from __future__ import annotations

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits
_LENGTHS = {"cus": 14, "req": 14, "whsec": 32, "sk_test": 99, "pk_test": 99}
_DEFAULT_LENGTH = 24


def new_id(prefix: str) -> str:
    """Return an unguessable id such as `pi_…` for the prefix `pi`."""
    return f"{prefix}_{random_text(_LENGTHS.get(prefix, _DEFAULT_LENGTH))}"


def random_text(length: int) -> str:
    """Return `length` random letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
