"""The shop as Stripe must know it, besides what is for sale: where events are sent, and what
customers may do in the portal."""

import hashlib
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from storefront.config import Config

LOCAL_NAMES = (".localhost", ".local", ".internal", ".test", ".lan")


@dataclass(frozen=True)
class Site:
    """`event_types` are those that have a handler. `keep_secret` is told the signing secret of an
    endpoint that was made, and whether it takes the place of another one; `told` has those of this
    run. With `new_secret` another endpoint takes the place of the one that is there."""

    config: Config
    event_types: tuple[str, ...]
    keep_secret: Callable[[str, bool], object] = lambda _secret, _replaces: None
    new_secret: bool = False
    told: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where Stripe is to send events."""
        return self.config.app_url + self.config.webhook_path

    @property
    def secrets(self) -> tuple[str, ...]:
        return (*self.told, *self.config.stripe_webhook_secrets)

    def is_known(self, fingerprint: str | None) -> bool:
        """Whether a secret with this fingerprint is configured, or was just told."""
        return fingerprint is not None and fingerprint in map(fingerprint_of, self.secrets)


def fingerprint_of(secret: str) -> str:
    """What tells a signing secret from another and says nothing of it: it is kept at Stripe, where
    nobody is told the secret again."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16]


def listen_command(config: Config) -> str:
    """What brings Stripe's events to a shop that Stripe cannot reach."""
    host = urlsplit(config.app_url).netloc
    return f"stripe listen --latest --forward-to {host}{config.webhook_path}"


def why_out_of_reach(config: Config) -> str | None:
    """Why Stripe cannot send events to APP_URL, or None when it can (a stand-in runs beside us)."""
    if config.stand_in:
        return None
    if _is_local(config.host):
        return f"Stripe cannot reach {config.app_url}"
    if config.livemode and not config.https:
        return f"Stripe sends live events to https:// only, and APP_URL is {config.app_url}"
    return None


def _is_local(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(LOCAL_NAMES)
