"""Secrets: what signs our sessions, and the keys of Stripe. No message repeats any of them."""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from storefront.errors import ConfigError

STRIPE_API_BASE = "https://api.stripe.com"
MINIMUM_SECRET_KEY_LENGTH = 32


def secret_key(settings: Mapping[str, str], env: str, instance: Path) -> str:
    value = settings.get("SECRET_KEY", "")
    advice = "make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
    if not value and env == "production":
        raise ConfigError(f"SECRET_KEY is not set; production needs it; {advice}")
    if not value:
        return _kept_secret_key(instance)
    if env == "production" and len(value) < MINIMUM_SECRET_KEY_LENGTH:
        raise ConfigError(
            f"SECRET_KEY is shorter than {MINIMUM_SECRET_KEY_LENGTH} characters; {advice}"
        )
    return value


def _kept_secret_key(instance: Path) -> str:
    """Make a key at the first start in development and keep it, so that sessions survive."""
    path = instance / "secret_key"
    try:
        instance.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _create_once(path, os.urandom(32).hex())
    except OSError as error:
        raise ConfigError(
            f"STOREFRONT_INSTANCE is {str(instance)!r}, which cannot be written to "
            f"({error.strerror}); it must be a folder of ours."
        ) from None
    return path.read_text()


def _create_once(path: Path, content: str) -> None:
    """Write a private file whole or not at all; the first of several processes wins."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(content)
    with suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()


def stripe_keys(settings: Mapping[str, str]) -> tuple[str, str]:
    secret = _stripe_key(settings, "STRIPE_SECRET_KEY", ("sk_", "rk_"))
    publishable = _stripe_key(settings, "STRIPE_PUBLISHABLE_KEY", ("pk_",))
    modes = ["live" if "_live_" in key else "test" for key in (secret, publishable)]
    if modes[0] != modes[1]:
        raise ConfigError(
            f"STRIPE_SECRET_KEY is a {modes[0]} key and STRIPE_PUBLISHABLE_KEY a {modes[1]} key; "
            "both must be of one mode."
        )
    return secret, publishable


def _stripe_key(settings: Mapping[str, str], name: str, prefixes: tuple[str, ...]) -> str:
    """One key of Stripe's. The message never repeats it, not even in part."""
    value = settings.get(name, "").strip()
    wanted = " or ".join(f"{prefix}test_…/{prefix}live_…" for prefix in prefixes)
    if not value:
        raise ConfigError(
            f"{name} is not set; put a key ({wanted}) into .env, "
            "or start the shop with bin/run, which brings a stand-in for Stripe."
        )
    if not re.fullmatch(rf"({'|'.join(prefixes)})(test|live)_[A-Za-z0-9_]+", value):
        raise ConfigError(f"{name} does not look like a key of its kind; it must be {wanted}.")
    return value


def check_api_base(secret_key: str, api_base: str, env: str) -> None:
    if api_base == STRIPE_API_BASE:
        return
    if "_live_" in secret_key:
        raise ConfigError(
            "STRIPE_API_BASE is set together with a live STRIPE_SECRET_KEY; "
            "a live key is only ever sent to Stripe: unset one of them."
        )
    if env == "production" and not api_base.startswith("https://"):
        raise ConfigError("STRIPE_API_BASE must be unset in production: a stand-in moves no money.")


def webhook_secrets(settings: Mapping[str, str]) -> tuple[str, ...]:
    """Several secrets, comma-separated, while one is rolled. None at all is allowed:
    the endpoint then answers 503."""
    value = settings.get("STRIPE_WEBHOOK_SECRET")
    if value is None:
        return ()
    secrets = tuple(part.strip() for part in value.split(","))
    if any(not re.fullmatch(r"whsec_[\x21-\x7e]+", secret) for secret in secrets):
        raise ConfigError(
            "STRIPE_WEBHOOK_SECRET must be one secret (whsec_…), or several with commas between; "
            "a blank or foreign one would let anybody sign."
        )
    return secrets
