"""The webhook endpoint: one for the shop's address, in the API version that we read, with exactly
the events that have a handler.

Stripe tells a signing secret once, in the answer to the creation. The secret's fingerprint is
written into the endpoint's metadata when it has been told; one of ours without it was made by a run
that was interrupted, and asking for the same creation again brings the same answer (for 24 hours:
docs.stripe.com/api/idempotent_requests)."""

from collections.abc import Iterator

from storefront import prices
from storefront.db import db
from storefront.provisioning.actions import (
    Action,
    ChangeEndpoint,
    CreateEndpoint,
    DeleteEndpoint,
    Note,
    Nothing,
)
from storefront.provisioning.keys import idempotency_key
from storefront.provisioning.site import Site, fingerprint_of, listen_command, why_out_of_reach
from storefront.stripe_gateway import API_VERSION, EndpointFacts, StripeGateway

REMEMBERED_AS = "webhook_endpoint"
MARK, MADE_HERE, BY_BIN_RUN = "storefront", "catalog apply", "bin/run"
FINGERPRINT, KEY = "secret_sha256", "idempotency_key"
TRIES = 3


def compare_endpoint(gateway: StripeGateway, site: Site) -> Iterator[Action]:
    """Raises StripeUnavailable, StripeRefused, Unprocessable."""
    endpoints = gateway.webhook_endpoints()
    by_bin_run = list(filter(is_by_bin_run, endpoints))
    reason = why_out_of_reach(site.config)
    if by_bin_run:
        yield Nothing("webhook endpoint", by_bin_run[0].url, "bin/run looks after it")
    elif reason:
        text = f"{reason}. Have them forwarded, and put the secret that is printed into .env as"
        text += f" STRIPE_WEBHOOK_SECRET: {listen_command(site.config)}"
        yield Note("webhook endpoint", site.url, text)
    else:
        yield from _compare(site, _candidates(endpoints, site))


def endpoint_of(gateway: StripeGateway, site: Site) -> EndpointFacts | None:
    """The one that sends events to this shop, in whatever state it is."""
    endpoints = gateway.webhook_endpoints()
    found = list(filter(is_by_bin_run, endpoints)) or _candidates(endpoints, site)
    return found[0] if found else None


def is_by_bin_run(endpoint: EndpointFacts) -> bool:
    """Whether bin/run registered it at fakestripe, and looks after it."""
    return endpoint.metadata.get(MARK) == BY_BIN_RUN


def fingerprint_at(endpoint: EndpointFacts | None) -> str | None:
    """What the endpoint says of its secret; None when a person made it."""
    return endpoint.metadata.get(FINGERPRINT) if endpoint else None


def make_endpoint(gateway: StripeGateway, site: Site, wanted: CreateEndpoint, attempt: int) -> None:
    """Make it, tell its secret, and only then write down that it was told."""
    made = _created(gateway, wanted, attempt)
    assert made.secret, "Stripe tells the secret of an endpoint that it makes"
    site.keep_secret(made.secret, wanted.replaces)
    site.told.append(made.secret)
    metadata = {FINGERPRINT: fingerprint_of(made.secret)}
    gateway.change_webhook_endpoint(made.id, metadata=metadata)
    prices.remember(REMEMBERED_AS, made.id)


def _created(gateway: StripeGateway, wanted: CreateEndpoint, attempt: int) -> EndpointFacts:
    """One that is there: for a known key Stripe repeats its answer, even if the endpoint was
    deleted since."""
    for number in range(attempt, attempt + TRIES):
        key = wanted.key if number == 1 else f"{wanted.key}:{number}"
        made = gateway.create_webhook_endpoint(
            wanted.url,
            wanted.events,
            api_version=API_VERSION,
            metadata={MARK: MADE_HERE, KEY: key},
            idempotency_key=key,
        )
        if made.id in {it.id for it in gateway.webhook_endpoints()}:
            return made
    raise AssertionError("Stripe makes an endpoint for a key that it has never seen")


def _candidates(endpoints: list[EndpointFacts], site: Site) -> list[EndpointFacts]:
    """Those that send to our address, or did so before it changed; the best one first."""
    remembered = prices.remembered(db.session(), REMEMBERED_AS)
    told = set(map(fingerprint_of, site.told))

    def merits(it: EndpointFacts) -> tuple[bool, ...]:
        secret = it.metadata.get(FINGERPRINT)
        here = it.url == site.url
        return _is_usable(it), secret in told, here, site.is_known(secret), it.id == remembered

    found = [it for it in endpoints if it.url == site.url or it.id == remembered]
    return sorted(found, key=merits, reverse=True)


def _compare(site: Site, found: list[EndpointFacts]) -> Iterator[Action]:
    best = next((it for it in found if _is_usable(it)), None)
    if best is None or (site.new_secret and not site.told):
        yield _create(site, found)
        others = [it for it in found if not _is_unfinished(it)]
    else:
        yield _keep(site, best)
        yield from _about_its_secret(site, best)
        others = [it for it in found if it is not best]
    for it in others:
        yield DeleteEndpoint("webhook endpoint", it.url, f"{it.id}, replaced", it.id)


def _is_usable(it: EndpointFacts) -> bool:
    """An endpoint's API version stays for ever, and who knows a secret that was never told?"""
    return it.api_version == API_VERSION and not _is_unfinished(it)


def _is_unfinished(it: EndpointFacts) -> bool:
    return it.metadata.get(MARK) == MADE_HERE and FINGERPRINT not in it.metadata


def _create(site: Site, found: list[EndpointFacts]) -> Action:
    """The key has in it what is there: after a deletion, creating is another act."""
    text = f"{len(site.event_types)} types of events, API version {API_VERSION}"
    if found:
        text += f", instead of {', '.join(it.id for it in found)}"
    url, events = site.url, tuple(sorted(site.event_types))
    key = idempotency_key("endpoint", url, events, sorted(it.id for it in found))
    for it in found:
        if _is_unfinished(it) and KEY in it.metadata and it.api_version == API_VERSION:
            url, events, key = it.url, it.events, it.metadata[KEY]
    replaces = any(not _is_unfinished(it) for it in found)
    return CreateEndpoint("webhook endpoint", site.url, text, url, events, key, replaces)


def _keep(site: Site, best: EndpointFacts) -> Action:
    wanted, has = set(site.event_types), set(best.events)
    changes = {
        f"instead of {best.url}": best.url != site.url,
        "switched on again": not best.enabled,
        f"{len(wanted - has)} more types of events": bool(wanted - has),
        f"{len(has - wanted)} types of events less": bool(has - wanted),
    }
    text = ", ".join(change for change, needed in changes.items() if needed)
    if not text:
        text = f"{len(wanted)} types of events, API version {best.api_version}"
        return Nothing("webhook endpoint", site.url, text)
    events = tuple(sorted(wanted))
    return ChangeEndpoint("webhook endpoint", site.url, text, best.id, site.url, events)


def _about_its_secret(site: Site, best: EndpointFacts) -> Iterator[Action]:
    secret = best.metadata.get(FINGERPRINT)
    if not site.secrets:
        found = "STRIPE_WEBHOOK_SECRET is not set"
    elif secret is not None and not site.is_known(secret):
        found = "STRIPE_WEBHOOK_SECRET is not its secret"
    else:
        return
    text = f"{found}; put the one that was told when it was made into .env, or have another"
    yield Note("webhook endpoint", site.url, f"{text}: flask catalog apply --new-secret")
