"""What browsers may do with our pages, as header values. Everything is forbidden first."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from storefront.config import STRIPE_API_BASE, Config

STRIPE_JS_ORIGIN = "https://js.stripe.com"
ONE_YEAR_SECONDS = 365 * 24 * 3600
NOTHING = ["'none'"]
NONCE = "{nonce}"

SWITCHED_OFF = (
    "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen",
    "geolocation", "gyroscope", "magnetometer", "microphone", "midi", "picture-in-picture",
    "screen-wake-lock", "usb", "xr-spatial-tracking",
)  # fmt: skip
"""Powers of the browser that no page of ours has a use for."""


@dataclass(frozen=True)
class StripeHosts:
    """Where Stripe.js and what it opens come from (docs.stripe.com/security/guide)."""

    scripts: tuple[str, ...]
    frames: tuple[str, ...]
    connections: tuple[str, ...]
    images: tuple[str, ...]
    redirects: tuple[str, ...]

    @classmethod
    def of(cls, settings: Config) -> "StripeHosts":
        """Stripe's documented hosts; with a stand-in, its origins and nothing of Stripe's."""
        script, api = origin(settings.stripe_js_url), origin(settings.stripe_api_base)
        if script == STRIPE_JS_ORIGIN and api == STRIPE_API_BASE:
            return _REAL
        both = tuple(dict.fromkeys((script, api)))
        return cls(scripts=(script,), frames=both, connections=both, images=both, redirects=both)


_REAL = StripeHosts(
    scripts=(STRIPE_JS_ORIGIN, "https://*.js.stripe.com"),
    frames=(STRIPE_JS_ORIGIN, "https://*.js.stripe.com", "https://hooks.stripe.com"),
    connections=(STRIPE_API_BASE,),
    images=("https://*.stripe.com",),
    redirects=("https://checkout.stripe.com", "https://billing.stripe.com"),
)


def content_security_policy(settings: Config, nonce: str | None, *, pays: bool) -> str:
    """The policy of one response. `nonce` is None for what runs no script; only a page that
    `pays` may load Stripe.js, so that no other page depends on a third party."""
    policy = _policy(StripeHosts.of(settings), runs_scripts=nonce is not None, pays=pays)
    return policy.replace(NONCE, nonce) if nonce else policy


@cache
def _policy(hosts: StripeHosts, *, runs_scripts: bool, pays: bool) -> str:
    scripts = [f"'nonce-{NONCE}'"] if runs_scripts else []
    stripe = hosts if pays else StripeHosts((), (), (), (), ())
    directives: Mapping[str, list[str]] = {
        "default-src": [],
        "script-src": [*scripts, *stripe.scripts],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", *stripe.images],  # Bootstrap draws with data: images
        "font-src": ["'self'"],
        "connect-src": ["'self'", *stripe.connections],
        "frame-src": [*stripe.frames],
        # Chromium applies form-action to the redirect that answers a form as well.
        "form-action": ["'self'", *hosts.redirects],
        "manifest-src": ["'self'"],
        "object-src": [],
        "base-uri": [],
        "frame-ancestors": [],
    }
    return "; ".join(
        f"{name} {' '.join(sources or NOTHING)}" for name, sources in directives.items()
    )


def permissions_policy(settings: Config, *, pays: bool) -> str:
    """Payment Request and passkeys for Stripe's frames where one pays, nothing else anywhere."""
    allowed = f'(self "{origin(settings.stripe_js_url)}")' if pays else "()"
    off = [f"{feature}=()" for feature in SWITCHED_OFF]
    return ", ".join([*off, f"payment={allowed}", f"publickey-credentials-get={allowed}"])


def usual_headers(settings: Config) -> dict[str, str]:
    """What every response carries, files included, unless its page says otherwise."""
    headers = {
        "Content-Security-Policy": content_security_policy(settings, None, pays=False),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": permissions_policy(settings, pays=False),
    }
    if settings.https:
        headers["Strict-Transport-Security"] = f"max-age={ONE_YEAR_SECONDS}"
    return headers


def origin(url: str) -> str:
    """Scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
