"""Opening a checkout, or taking up an unfinished one again, in three phases: our row, Stripe, what
Stripe said. No phase waits for the network."""

from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from storefront import prices, subscriptions, users
from storefront.catalog import Catalog
from storefront.checkouts.choice import (
    Choice,
    Opened,
    change_instead,
    choose,
    refuse_what_is_owned,
)
from storefront.checkouts.reading import subscriptions_to_fetch
from storefront.checkouts.refreshing import follow_subscription, payment_has_failed
from storefront.checkouts.return_urls import return_urls
from storefront.checkouts.rivals import close, displace, forget
from storefront.checkouts.settling import settle
from storefront.checkouts.tables import UNFINISHED, Checkout
from storefront.config import Config
from storefront.db import db, transaction, utcnow
from storefront.errors import BadInput, NotFound, StripeFailed, StripeRefused
from storefront.ids import new_id
from storefront.stripe_gateway import CheckoutSession, CustomerMissing, PriceMissing, StripeGateway
from storefront.users import User

USABLE_FOR = timedelta(hours=23)
"""Stripe keeps a session open, and remembers an idempotency key, for 24 hours."""

OPENING_TRIES = 4
"""At the worst: the customer is gone, a rival was paid, the known session is gone, a new one."""


def open_checkout(
    gateway: StripeGateway,
    catalog: Catalog,
    config: Config,
    user: User,
    plan_code: object,
    interval: str,
    quantity: int = 1,
) -> Opened:
    """Open Stripe's page for a plan, or take up the customer's open one for the same; the amount
    is the catalogue's. Who has a subscription is sent to the portal instead of to a second one.

    Raises BadInput for what cannot be bought, with what could; StripeUnavailable or StripeRefused,
    and what is left behind then counts for nothing: the next call takes it up.
    """
    choice = choose(catalog, plan_code, interval, quantity)
    for _ in range(OPENING_TRIES):
        try:
            opened = _open_once(gateway, catalog, config, user, choice)
        except CustomerMissing as error:
            users.replace_stripe_customer(gateway, user, error.customer_id)
            continue
        except PriceMissing as error:
            prices.not_for_sale(error.price_id)
            raise _unavailable(choice) from error
        if opened is not None:
            return opened
    raise StripeRefused("The checkout could not be opened. Nothing was charged; try again.")


def _open_once(
    gateway: StripeGateway, catalog: Catalog, config: Config, user: User, choice: Choice
) -> Opened | None:
    """Three phases: our row; Stripe; what Stripe said. None when something turned out to be paid
    or gone, so that it must be looked at anew."""
    user_id = user.id
    price_id = _price_id(catalog, config.livemode, choice)
    customer_id = users.ensure_stripe_customer(gateway, user)
    with transaction() as session:
        users.lock(session, user_id)
        refuse_what_is_owned(session, user_id, choice)
        elsewhere = change_instead(session, user_id, choice)
        if elsewhere is not None:
            return elsewhere
        checkout = _take_up(session, user_id, choice, price_id) or _new(
            session, user_id, choice, price_id
        )
        to_close = displace(session, checkout)
        # After the rivals: one that is settled at this moment is seen here or there.
        to_fetch = subscriptions_to_fetch(session, user_id) if choice.mode != "payment" else []
        first = not subscriptions.ever(session, user_id)
    if [id for id in to_fetch if subscriptions.sync(gateway, catalog, config.livemode, id)]:
        return None
    for stripe_session_id in to_close:
        if _was_paid(gateway, catalog, config.livemode, close(gateway, stripe_session_id)):
            return None
    facts = _session_for(gateway, config, checkout, customer_id, choice.plan.trial_days * first)
    if facts is None or _was_paid(gateway, catalog, config.livemode, facts):
        return None
    return _opened(facts)


def _price_id(catalog: Catalog, livemode: bool, choice: Choice) -> str:
    """Raises BadInput when Stripe has no price for this choice, or none that we know of."""
    found = prices.find(db.session(), catalog, livemode, choice.plan.code, choice.price.interval)
    if found is None:
        raise _unavailable(choice)
    return found.id


def _unavailable(choice: Choice) -> BadInput:
    return BadInput(f"{choice.plan.name} is not available yet. Nothing was charged.")


def _take_up(
    session: Session, user_id: str, choice: Choice, price_id: str
) -> Checkout | None:  # fmt: skip
    """The unfinished checkout of the very same thing, if it is not about to end."""
    same = select(Checkout).where(
        Checkout.user_id == user_id,
        Checkout.plan == choice.plan.code,
        Checkout.interval == choice.price.interval,
        Checkout.quantity == choice.quantity,
        Checkout.stripe_price_id == price_id,
        Checkout.amount_cents == choice.amount_cents,
        Checkout.currency == choice.price.currency,
        Checkout.credits == choice.credits,
        Checkout.status.in_(UNFINISHED),
        Checkout.created_at > utcnow() - USABLE_FOR,
    )
    return session.scalar(same.order_by(Checkout.created_at.desc()).limit(1))


def _new(session: Session, user_id: str, choice: Choice, price_id: str) -> Checkout:
    checkout = Checkout(
        id=new_id("chk"),
        user_id=user_id,
        plan=choice.plan.code,
        interval=choice.price.interval,
        quantity=choice.quantity,
        mode=choice.mode,
        stripe_price_id=price_id,
        amount_cents=choice.amount_cents,
        currency=choice.price.currency,
        credits=choice.credits,
    )
    session.add(checkout)
    session.flush()
    return checkout


def _was_paid(
    gateway: StripeGateway, catalog: Catalog, livemode: bool, facts: CheckoutSession | None
) -> bool:
    """Whether a session is complete, which the webhook has not told us yet; what it brought is
    fetched, so that the next look finds it."""
    if facts is None or facts.status != "complete":
        return False
    follow_subscription(gateway, catalog, livemode, facts)
    return True


def _session_for(
    gateway: StripeGateway, config: Config, checkout: Checkout, customer_id: str, trial_days: int
) -> CheckoutSession | None:
    """The checkout's session as it is now, applied to its row; None when it is of no more use."""
    if checkout.stripe_session_id is None:
        facts = _created(gateway, config, checkout, customer_id, trial_days)
    else:
        found = _known(gateway, checkout.stripe_session_id)
        if found is None:
            return None
        facts = found
    failed = payment_has_failed(gateway, facts)
    with transaction() as session:
        settled = settle(session, facts, failed=failed)
        if settled is None:  # nobody may pay what we cannot settle
            raise StripeRefused("The checkout could not be opened. Nothing was charged; try again.")
        settled.updated_at = utcnow()  # its customer is at it: it is not stale, however old
        displaced = settled.status == "expired" and facts.status == "open"
    if displaced:
        gateway.expire_checkout_session(facts.id)
        raise BadInput("You opened another checkout in the meantime. Go on there, or try again.")
    return None if facts.status == "expired" else facts


def _known(gateway: StripeGateway, stripe_session_id: str) -> CheckoutSession | None:
    try:
        return gateway.retrieve_checkout_session(stripe_session_id)
    except NotFound:
        forget(stripe_session_id)
        return None


def _created(
    gateway: StripeGateway, config: Config, checkout: Checkout, customer_id: str, trial_days: int
) -> CheckoutSession:
    choice = {"plan": checkout.plan, "interval": checkout.interval}
    if checkout.quantity > 1:
        choice["quantity"] = str(checkout.quantity)
    paths = (config.checkout_success_path, config.checkout_cancel_path)
    urls = return_urls(config.app_url, *paths, choice)
    names = {"user_id": checkout.user_id, "checkout_id": checkout.id}
    try:
        return gateway.create_checkout_session(
            idempotency_key=f"{checkout.id}:{checkout.attempt}",
            mode="payment" if checkout.mode == "payment" else "subscription",
            customer_id=customer_id,
            price_id=checkout.stripe_price_id,
            quantity=checkout.quantity,
            client_reference_id=checkout.user_id,
            metadata=names | {"plan": checkout.plan, "interval": checkout.interval},
            success_url=urls.success,
            cancel_url=urls.cancel,
            trial_days=trial_days if checkout.mode == "subscription" else 0,
            automatic_tax=config.automatic_tax,
        )
    except (StripeRefused, StripeFailed, CustomerMissing, PriceMissing):
        _next_attempt(checkout.id)
        raise


def _next_attempt(checkout_id: str) -> None:
    """A changed request needs another idempotency key."""
    with transaction() as session:
        session.execute(
            update(Checkout).where(Checkout.id == checkout_id).values(attempt=Checkout.attempt + 1)
        )


def _opened(facts: CheckoutSession) -> Opened:
    if facts.url is None:
        raise StripeRefused("The checkout could not be opened. Nothing was charged; try again.")
    return Opened("checkout", checkout_id=facts.checkout_id, url=facts.url)
