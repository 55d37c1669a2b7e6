"""Checks of the settings: keys, cookies, proxies, what browsers are told, mail, analytics."""

from datetime import timedelta
from urllib.parse import urlsplit

from storefront.config import MINIMUM_SECRET_KEY_LENGTH, STRIPE_API_BASE, STRIPE_JS_URL
from storefront.doctor.asking import Answer
from storefront.doctor.findings import Finding, failure, ok, warning
from storefront.doctor.visit import Visit
from storefront.mail import NotSent

NEW_SECRET_KEY = "python -c 'import secrets; print(secrets.token_urlsafe(48))'"  # noqa: S105
FEWEST_DIFFERENT = 10
LONGEST_SESSION = timedelta(days=31)


def key_modes(visit: Visit) -> Finding:
    """Both keys are of one mode, and it is the mode that STOREFRONT_ENV wants."""
    config = visit.config
    keys = (config.stripe_secret_key, config.stripe_publishable_key)
    secret, publishable = ("live" if "_live_" in key else "test" for key in keys)
    if secret != publishable:
        found = f"STRIPE_SECRET_KEY is a {secret} key, STRIPE_PUBLISHABLE_KEY a {publishable} key"
        return failure(found, "put two keys of one mode into .env (Dashboard > Developers)")
    if config.livemode and not config.production:
        found = f"live keys with STOREFRONT_ENV={config.env}"
        return failure(found, "put STOREFRONT_ENV=production, or test keys, into .env")
    if visit.strict and not config.livemode:
        found = f"test keys with STOREFRONT_ENV={config.env}: no money moves"
        mend = "put the live keys into .env; then: flask catalog apply --write-env .env"
        return failure(found, mend) if visit.live else warning(found, mend)
    return ok(f"two {secret} keys, STOREFRONT_ENV={config.env}")


def secret_key(visit: Visit) -> Finding:
    """Whoever guesses it can sign in as anybody."""
    key = str(visit.flask["SECRET_KEY"])
    if len(key) < MINIMUM_SECRET_KEY_LENGTH or len(set(key)) < FEWEST_DIFFERENT:
        found = f"SECRET_KEY can be guessed: {len(key)} characters, {len(set(key))} different ones"
        return visit.bad(found, f"put another one into .env: {NEW_SECRET_KEY}")
    return ok(f"{len(key)} characters")


def cookies(visit: Visit) -> Finding:
    """The session's cookie is kept from scripts, from other sites, and from plain HTTP."""
    flask, wrong = visit.flask, []
    if not flask["SESSION_COOKIE_HTTPONLY"]:
        wrong.append("scripts can read it (SESSION_COOKIE_HTTPONLY)")
    if flask["SESSION_COOKIE_SAMESITE"] not in ("Lax", "Strict"):
        wrong.append("other sites' requests carry it (SESSION_COOKIE_SAMESITE)")
    if visit.config.https and not flask["SESSION_COOKIE_SECURE"]:
        wrong.append("it is sent without TLS (SESSION_COOKIE_SECURE)")
    if _span(flask["PERMANENT_SESSION_LIFETIME"]) > LONGEST_SESSION:
        wrong.append("it lives for more than a month (PERMANENT_SESSION_LIFETIME)")
    if wrong:
        found = f"the session's cookie: {', '.join(wrong)}"
        return failure(found, "take your changes to create_app() back")
    secure = "Secure, " if flask["SESSION_COOKIE_SECURE"] else ""
    return ok(f"{secure}HttpOnly, SameSite={flask['SESSION_COOKIE_SAMESITE']}")


def https(visit: Visit) -> Finding:
    """Customers reach the shop by TLS, and their browsers remember that."""
    config, answer = visit.config, visit.answer
    if not config.https:
        found = f"APP_URL is {config.app_url}: what customers send can be read on the way"
        local = visit.out_of_reach or config.stand_in
        if local and not visit.strict:
            return ok(f"{config.app_url}, on this machine")
        return visit.bad(found, "put a reverse proxy with a certificate in front; https:// APP_URL")
    if isinstance(answer, str):
        return warning(f"not seen: {answer}", "bin/run")
    if "Strict-Transport-Security" not in answer.headers:
        found = f"{config.app_url} answers without Strict-Transport-Security"
        return warning(found, "let the reverse proxy pass the shop's headers on")
    return ok(f"{config.app_url}, with Strict-Transport-Security")


def proxies(visit: Visit) -> Finding:
    """Whom the shop believes about the customer's address, by which limits count."""
    count = visit.config.trusted_proxies
    if visit.config.https and count == 0:
        found = "a proxy does TLS, and TRUSTED_PROXIES is 0: limits take all customers for one"
        return visit.bad(found, "put TRUSTED_PROXIES=1 (as many as there are) into .env")
    if not visit.config.https and count:
        found = f"TRUSTED_PROXIES is {count} without TLS in front: anybody can claim any address"
        return warning(found, "put TRUSTED_PROXIES=0 into .env, unless a proxy is there")
    return ok(f"{count} trusted")


def csp(visit: Visit) -> Finding:
    """Pages on which one pays may load Stripe.js and nothing foreign, and say so to browsers."""
    config, answer = visit.config, visit.answer
    script, wanted = _origin(config.stripe_js_url), _origin(STRIPE_JS_URL)
    if config.stripe_api_base == STRIPE_API_BASE and config.stripe_js_url != STRIPE_JS_URL:
        found = f"STRIPE_JS_URL is {config.stripe_js_url}: not the Stripe.js of our API version"
        return failure(found, f"take STRIPE_JS_URL out of .env (it is {STRIPE_JS_URL} by itself)")
    if config.stripe_api_base != STRIPE_API_BASE and script == wanted:
        found = "Stripe's own Stripe.js with a stand-in's API: it cannot know its payments"
        return failure(found, "take STRIPE_API_BASE out of .env, or set STRIPE_JS_URL, too")
    for directive, origin in (("script-src", script), ("connect-src", config.stripe_api_base)):
        if origin not in _sources(visit.policy, directive):
            found = f"{directive} of the pages on which one pays does not allow {origin}"
            return failure(found, "see storefront/web/policies.py")
    if isinstance(answer, Answer) and "Content-Security-Policy" not in answer.headers:
        found = f"{config.app_url} answers without Content-Security-Policy"
        return warning(found, "let the reverse proxy pass the shop's headers on")
    return ok(f"scripts from {script}")


def mail(visit: Visit) -> Finding:
    """Receipts and failed payments reach customers."""
    config = visit.config
    if config.mail_url is None:
        found = "MAIL_URL is not set: the worker prints mail, and customers get none"
        if not visit.strict:
            return ok("the worker prints it")
        return failure(found, "put MAIL_URL and MAIL_FROM into .env")
    try:
        visit.mailer.knock()
    except NotSent as error:
        found = f"{urlsplit(config.mail_url).hostname}: {error}"
        return failure(found, "correct MAIL_URL in .env; waiting mail is sent then by itself")
    if config.mail_from.endswith("@localhost"):
        return visit.bad(f"mail comes from {config.mail_from}", "put MAIL_FROM into .env")
    return ok(f"from {config.mail_from}")


def analytics(visit: Visit) -> Finding:
    """Where sales are reported to."""
    config = visit.config
    if config.ga4_measurement_id is None:
        return ok("sales are not reported")
    host = urlsplit(config.ga4_endpoint).hostname or ""
    if not f".{host}".endswith(".google-analytics.com"):
        found = f"sales are reported to {config.ga4_endpoint}, which is not Google's"
        return warning(found, "take GA4_ENDPOINT out of .env, if you do not mean it")
    return ok(f"sales of customers who agreed are reported to {config.ga4_measurement_id}")


def legal_pages(visit: Visit) -> Finding:
    """Stripe's portal pages link to them."""
    wanted = {"TERMS_URL": visit.config.terms_url, "PRIVACY_URL": visit.config.privacy_url}
    missing = [name for name, url in wanted.items() if url is None]
    if missing:
        found = f"{' and '.join(missing)} not set: the portal links to no such page"
        return warning(found, f"put {' and '.join(missing)} into .env; then: flask catalog apply")
    return ok("terms and privacy are linked")


def _span(given: timedelta | int) -> timedelta:
    """Flask takes both, a plain number being seconds."""
    return given if isinstance(given, timedelta) else timedelta(seconds=given)


def _sources(policy: str, directive: str) -> list[str]:
    found = (part.split() for part in policy.split(";"))
    return next((names[1:] for names in found if names and names[0] == directive), [])


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
