"""All checks, in the order in which they are told."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from storefront.db import db
from storefront.doctor import at_stripe, running, settings, storage
from storefront.doctor.findings import Finding, Named, NotLookedAt, failure, warning
from storefront.doctor.visit import Visit
from storefront.errors import StorefrontError
from storefront.stripe_gateway import reason


@dataclass(frozen=True)
class Check:
    """`live` ones belong to the going-live list alone."""

    name: str
    look: Callable[[Visit], Finding]
    live: bool = False


CHECKS = (
    Check("key modes", settings.key_modes),
    Check("Stripe's API", at_stripe.api),
    Check("clock", at_stripe.clock),
    Check("API version", at_stripe.api_version),
    Check("Stripe account", at_stripe.account, live=True),
    Check("catalogue", at_stripe.catalogue),
    Check("portal", at_stripe.portal),
    Check("webhook endpoint", at_stripe.endpoint),
    Check("webhook secret", at_stripe.secret),
    Check("webhook deliveries", at_stripe.deliveries),
    Check("database", storage.database),
    Check("migrations", storage.migrations),
    Check("SQLite pragmas", storage.sqlite_pragmas),
    Check("SQLite version", storage.sqlite_version),
    Check("shop", running.shop),
    Check("signed round trip", running.round_trip),
    Check("worker", running.worker),
    Check("schedule", running.schedule),
    Check("failed events", running.events),
    Check("job backlog", running.backlog),
    Check("books", running.reconciled),
    Check("gunicorn", running.gunicorn),
    Check("secret key", settings.secret_key),
    Check("cookies", settings.cookies),
    Check("HTTPS", settings.https),
    Check("proxies", settings.proxies),
    Check("CSP", settings.csp),
    Check("mail", settings.mail),
    Check("analytics", settings.analytics),
    Check("legal pages", settings.legal_pages, live=True),
    Check("demo customer", running.demo_customer, live=True),
    Check("first purchase", running.first_purchase, live=True),
)


def examine(visit: Visit) -> Iterator[Named]:
    """Every check, one after the other. One that throws is a failure of its own, with a
    sentence."""
    for check in CHECKS:
        if visit.live or not check.live:
            yield Named(check.name, look(check, visit))


def look(check: Check, visit: Visit) -> Finding:
    """One check."""
    try:
        return check.look(visit)
    except NotLookedAt as error:
        return warning(f"not looked at: {error}", "mend what is told above")
    except StorefrontError as error:
        return failure(reason(error), "flask doctor, when that is mended")
    except SQLAlchemyError as error:
        return failure(_first_line(error), "look at DATABASE_URL; then: flask db upgrade")
    except Exception as error:  # noqa: BLE001  a check must not hide the ones after it
        return failure(f"the check itself failed: {_first_line(error)}", "tell its maintainers")
    finally:
        db.session.remove()


def _first_line(error: Exception) -> str:
    lines = str(getattr(error, "orig", None) or error).splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"
