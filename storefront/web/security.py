"""The guard at the door and the headers on the way out.

Every endpoint needs a signed-in customer unless it is listed as public here: a new route that
nobody thought about is closed. Everything a response tells the browser is in `policies.py`.
"""

import ipaddress
import re
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, Request, Response, abort, current_app, g, redirect, request, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.middleware.proxy_fix import ProxyFix

from storefront.config import Config
from storefront.errors import StorefrontError
from storefront.web import policies, problems
from storefront.web.current import settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PUBLIC_ENDPOINTS = frozenset(
    {
        "home.index",
        "auth.register",
        "auth.login",
        "auth.logout",  # signing out twice is no error
        "health.healthz",
        "health.readyz",
        "metrics.show",  # asks for a token, or that it be asked by this machine
        "webhooks.receive",  # Stripe signs
        "static",
        "bootstrap.static",
    }
)

FOREIGN_ORIGIN_ALLOWED = frozenset({"webhooks.receive"})
OWN_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")
"""A path on this host: one slash in front, printable ASCII, no backslash, which some browsers
read as a slash, and no tab or newline, which browsers drop before they read."""

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class ForeignOrigin(StorefrontError):
    """A page of another site made the browser send this request."""

    status = 403
    code = "foreign_origin"
    title = "This came from another site"


def register(app: Flask, settings: Config) -> None:
    """Trust as many proxies as configured; guard every request; set headers on every answer."""
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=0, x_port=0, x_prefix=0
        )
    app.wsgi_app = UsualHeaders(app.wsgi_app, settings)  # type: ignore[method-assign]
    app.session_interface = Sessions()
    # In front of the CSRF check: who is signed out is told so, rather than of a missing token.
    app.before_request_funcs.setdefault(None, []).insert(0, _guard)
    app.after_request(_set_headers)
    app.login_manager.unauthorized_handler(_send_to_sign_in)  # type: ignore[attr-defined]
    app.jinja_env.globals["csp_nonce"] = csp_nonce


def safe_next(value: str | None) -> str:
    """The path to go to after signing in: `value` if it is a path of ours, else the front page."""
    return value if value and OWN_PATH.fullmatch(value) else "/"


def external_url(path: str) -> str:
    """A full URL of this shop, from APP_URL; the request's Host header has no say in it."""
    return settings().app_url + path


def allow_stripe() -> None:
    """This answer is a page on which one pays: it may load Stripe.js and what that needs."""
    g.pays = True
    hide_referrer()


def hide_referrer() -> None:
    """The address of this page is nobody's business, not even that of our own logs."""
    g.referrer_policy = "no-referrer"


def csp_nonce() -> str:
    """This response's nonce: 128 random bits, made when a template first asks."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def client_network() -> str:
    """Whom limits by address count: the IPv4 address, or the /64 that one IPv6 customer has."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:  # a Unix socket in front, or a proxy that sends nonsense
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


class UsualHeaders:
    """Gives every answer, files and errors included, the headers that it does not bring itself."""

    def __init__(self, app: "WSGIApplication", settings: Config) -> None:
        self._app = app
        usual = policies.usual_headers(settings)
        self._usual = {name.lower(): (name, value) for name, value in usual.items()}

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        def started(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            missing = dict(self._usual)
            for name, _ in headers:
                missing.pop(name.lower(), None)
            return start_response(status, [*headers, *missing.values()], *exc_info)

        return self._app(environ, started)


class Sessions(SecureCookieSessionInterface):
    """Flask's. For who comes without a cookie, no key is derived to read it with."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)


def _guard() -> ResponseReturnValue | None:
    """Refuse other sites' posts, and send who is not signed in to sign in."""
    if request.endpoint is None:  # no such page, or a wrong Host: answered as such
        return None
    if "\0" in request.path:  # names nothing, and PostgreSQL refuses to look for it
        abort(404)
    if request.method not in SAFE_METHODS and request.endpoint not in FOREIGN_ORIGIN_ALLOWED:
        _require_own_origin()
    if request.endpoint in PUBLIC_ENDPOINTS or current_user.is_authenticated:
        return None
    unauthorized: ResponseReturnValue = current_app.login_manager.unauthorized()  # type: ignore[attr-defined]
    return unauthorized


def _send_to_sign_in() -> ResponseReturnValue:
    """Programs get a problem document; people the sign-in page, and back from there if what they
    wanted can be asked for again."""
    if problems.wants_json():
        return problems.problem(401, "signed_out", "Signed out", "Sign in to do this.")
    back = request.full_path.rstrip("?") if request.method in SAFE_METHODS else None
    return redirect(url_for("auth.login", next=back), 303)


def _require_own_origin() -> None:
    """A second lock beside the CSRF token. Browsers send Sec-Fetch-Site, older ones Origin;
    programs send neither, and have no cookies that others could make them use."""
    site, sender = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        foreign = site not in ("same-origin", "none")
    else:  # `null` is what a page without referrer sends; the token decides then
        own = (policies.origin(request.host_url), settings().app_url)
        foreign = sender not in (None, "null", *own)
    if foreign:
        raise ForeignOrigin("Requests that change something must come from this shop's own pages.")


def _set_headers(response: Response) -> Response:
    """Where this answer differs from the usual."""
    config, pays, nonce = settings(), bool(g.get("pays")), g.get("csp_nonce")
    if nonce or pays:
        policy = policies.content_security_policy(config, nonce, pays=pays)
        response.headers["Content-Security-Policy"] = policy
    if "referrer_policy" in g:
        response.headers["Referrer-Policy"] = g.referrer_policy
    if pays:
        response.headers["Permissions-Policy"] = policies.permissions_policy(config, pays=True)
        # Wallets and banks open windows that report back to the page.
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin-allow-popups"
    if request.endpoint not in ("static", "bootstrap.static"):
        response.headers["Cache-Control"] = "no-store"
    return response
