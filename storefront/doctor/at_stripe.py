"""Checks of what is at Stripe: the account, the webhook endpoint, the catalogue, the portal."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from storefront import prices, provisioning
from storefront.db import utcnow
from storefront.doctor.findings import Finding, failure, ok, warning
from storefront.doctor.visit import Visit
from storefront.errors import StorefrontError
from storefront.inbox import StripeEvent
from storefront.provisioning import Action
from storefront.stripe_gateway import (
    API_VERSION,
    SDK_API_VERSION,
    SIGNATURE_TOLERANCE_SECONDS,
    EndpointFacts,
    Event,
    reason,
)

SKEW_SECONDS = 30
UNDER_WAY = timedelta(minutes=5)
"""Deliveries younger than this may simply be under way."""

TYPES_AT_ONCE = 20
SHOWN = 3
APPLY, PLAN = "flask catalog apply", "flask catalog plan"
CATCH_UP = "flask webhooks catch-up"


def api(visit: Visit) -> Finding:
    """Stripe answers, and takes the key."""
    account = visit.account
    if isinstance(account, StorefrontError):
        mend = "look at STRIPE_SECRET_KEY in .env, the network, and status.stripe.com"
        return failure(reason(account), mend)
    where = "a stand-in: no money moves" if visit.config.stand_in else "Stripe"
    if visit.live and visit.config.stand_in:
        return failure(f"{account.id} at {where}", "take STRIPE_API_BASE out of .env")
    return ok(f"{account.id} at {where}")


def clock(visit: Visit) -> Finding:
    """Signatures are good for five minutes: a clock that is wrong refuses every event."""
    visit.stripe()
    account = visit.account
    if isinstance(account, StorefrontError) or account.answered_at is None:
        return ok("Stripe did not tell its time")
    skew = int(abs((utcnow() - account.answered_at.astimezone(UTC)).total_seconds()))
    found, mend = f"{skew} seconds apart from Stripe's", "have this machine's clock set by NTP"
    if skew >= SIGNATURE_TOLERANCE_SECONDS:
        return failure(f"{found}: events are refused", mend)
    return warning(found, mend) if skew >= SKEW_SECONDS else ok(found)


def api_version(visit: Visit) -> Finding:
    """What we ask, what the SDK knows and what events are written in is one version."""
    if SDK_API_VERSION != API_VERSION:
        found = f"we ask in {API_VERSION}, the installed SDK is of {SDK_API_VERSION}"
        return failure(found, "bin/setup run")
    if visit.endpoint and visit.endpoint.api_version != API_VERSION:
        sends = visit.endpoint.api_version or "the account's own version"
        return failure(f"the endpoint sends {sends}, we read {API_VERSION}", APPLY)
    if visit.endpoint is None:
        return _forwarded(visit)
    return ok(API_VERSION)


def _forwarded(visit: Visit) -> Finding:
    """In which version events come that something else forwards."""
    newest = select(StripeEvent).order_by(StripeEvent.received_at.desc()).limit(1)
    event = visit.tables().scalar(newest)
    if event is not None and event.api_version != API_VERSION:
        found = f"the newest event came in {event.api_version}, we read {API_VERSION}"
        return warning(found, provisioning.listen_command(visit.config))
    return ok(API_VERSION)


def endpoint(visit: Visit) -> Finding:
    """Stripe sends here, and sends everything that has a handler."""
    found = visit.endpoint
    if found is None and visit.out_of_reach:
        command = provisioning.listen_command(visit.config)
        if visit.strict:
            return failure(visit.out_of_reach, "put the shop's public address into APP_URL")
        return ok(f"{visit.out_of_reach}; events come by: {command}")
    if found is None:
        return failure(f"none sends events to {visit.site.url}", APPLY)
    if not found.enabled:
        return failure(f"{found.id} is disabled: Stripe sends nothing", f"{APPLY}; then {CATCH_UP}")
    if found.url != visit.site.url and not _by_bin_run(visit, found):
        return failure(f"{found.id} sends to {found.url}, not to {visit.site.url}", APPLY)
    wanted, sent = set(visit.event_types), set(found.events)
    if "*" not in sent and wanted - sent:
        return failure(f"{found.id} does not send {_some(sorted(wanted - sent))}", APPLY)
    if sent - wanted:
        return _more_than_needed(visit, found)
    return ok(f"{found.url}, {len(visit.event_types)} types of events")


def secret(visit: Visit) -> Finding:
    """STRIPE_WEBHOOK_SECRET is the endpoint's: only Stripe was told it, and we."""
    secrets = visit.config.stripe_webhook_secrets
    if not secrets:
        mend = f"{APPLY} --new-secret --write-env .env"
        if visit.out_of_reach:
            mend = f"{provisioning.listen_command(visit.config)} (it prints one for .env)"
        return failure("STRIPE_WEBHOOK_SECRET is not set: no event is accepted", mend)
    fingerprint = provisioning.fingerprint_at(visit.endpoint)
    if fingerprint and not visit.site.is_known(fingerprint):
        found = "STRIPE_WEBHOOK_SECRET is not the endpoint's: every event is refused"
        return failure(found, f"{APPLY} --new-secret --write-env .env")
    if len(secrets) > 1:
        found = f"{len(secrets)} secrets are accepted; an old one is needed for three days"
        return warning(found, "take the old ones out of STRIPE_WEBHOOK_SECRET in .env")
    if fingerprint:
        return ok("the endpoint's")
    whose = "what forwards events" if visit.out_of_reach else "the endpoint, in the Dashboard"
    return ok(f"set; only {whose} can tell whether it is the one")


def deliveries(visit: Visit) -> Finding:
    """Events that Stripe could not deliver."""
    gateway, types = visit.stripe(), sorted(visit.event_types)
    late: list[Event] = []
    for start in range(0, len(types), TYPES_AT_ONCE):
        some = types[start : start + TYPES_AT_ONCE]
        page = gateway.list_events(some, undelivered=True)
        late += [event for event in page.events if event.created < utcnow() - UNDER_WAY]
    unknown = [event for event in late if visit.tables().get(StripeEvent, event.id) is None]
    if unknown:
        oldest = min(event.created for event in unknown)
        found = f"{len(unknown)} events were not delivered, the oldest {age(oldest)} ago"
        return failure(found, CATCH_UP)
    if late:
        return ok(f"{len(late)} were not delivered, and came by catching up")
    return ok("every event arrived")


def catalogue(visit: Visit) -> Finding:
    """Products and prices are as the catalogue says, and the shop knows them."""
    visit.tables()
    differ = visit.planned("product", "price")
    if differ:
        text = f"{len(differ)} differences: {_lines(differ)}"
        problems = [action for action in differ if action.verb == "problem"]
        return failure(text, PLAN if problems else APPLY)
    unsold = prices.diagnose(visit.tables(), visit.catalog, visit.config.livemode)
    if unsold:
        return failure(f"not for sale: {unsold[0]}", APPLY)
    return ok(f"{len(visit.catalog.plans)} plans as at Stripe")


def portal(visit: Visit) -> Finding:
    """The Customer Portal offers what is for sale, and what we mean it to."""
    visit.tables()
    differ = visit.planned("portal configuration")
    if differ:
        return warning(_lines(differ), APPLY)
    return ok("its configuration is ours")


def account(visit: Visit) -> Finding:
    """Stripe lets the account take money, and pays it out."""
    visit.stripe()
    facts = visit.account
    assert not isinstance(facts, StorefrontError)
    wanted = {
        "charges are not enabled": facts.charges_enabled,
        "payouts are not enabled": facts.payouts_enabled,
        "details were not submitted": facts.details_submitted,
    }
    missing = [text for text, there in wanted.items() if not there]
    if missing:
        mend = "complete the account: dashboard.stripe.com/account/onboarding"
        return failure(f"{facts.id}: {', '.join(missing)}", mend)
    return ok(f"{facts.id} takes and pays out money")


def age(moment: datetime) -> str:
    """How long ago, in the unit that one would say it in."""
    seconds = max(0, int((utcnow() - moment).total_seconds()))
    units = ((86_400, "days"), (3_600, "hours"), (60, "minutes"), (1, "seconds"))
    size, name = next((unit for unit in units if seconds >= 2 * unit[0]), units[-1])
    return f"{seconds // size} {name}"


def _by_bin_run(visit: Visit, found: EndpointFacts) -> bool:
    return visit.config.stand_in and provisioning.is_by_bin_run(found)


def _more_than_needed(visit: Visit, found: EndpointFacts) -> Finding:
    if _by_bin_run(visit, found):
        return ok(f"{found.url}, all types of events")
    return warning(f"{found.id} sends more than has a handler: each costs an answer", APPLY)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _lines(actions: list[Action]) -> str:
    return _some([action.line for action in actions])
