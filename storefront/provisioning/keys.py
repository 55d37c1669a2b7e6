"""Idempotency keys: made of what is asked for, so that two who ask for it at once get one."""

import hashlib


def idempotency_key(what: str, *content: object) -> str:
    digest = hashlib.sha256(repr(content).encode()).hexdigest()
    return f"storefront:{what}:{digest[:40]}"
