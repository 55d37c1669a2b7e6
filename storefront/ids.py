"""Public ids: a readable prefix and 128 random bits, so that none can be guessed."""

import secrets


def new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(16)}"
