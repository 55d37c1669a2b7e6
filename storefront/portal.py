"""The Customer Portal: Stripe's own pages where customers change or cancel a subscription, change
their card, and find their invoices. What they may do there is one configuration at Stripe, made
once for each content and then used again."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storefront import prices, subscriptions
from storefront.catalog import Catalog
from storefront.config import Config
from storefront.db import db
from storefront.errors import BadInput
from storefront.prices import StripePrice
from storefront.stripe_gateway import ConfigurationMissing, CustomerMissing, StripeGateway
from storefront.subscriptions import CHANGEABLE, Subscription
from storefront.users import User

MAXIMUM_PRODUCTS = 10
"""As many as one configuration takes (docs.stripe.com/api/customer_portal/configurations)."""

REASONS = [
    "too_expensive", "missing_features", "switched_service", "unused", "customer_service",
    "too_complex", "low_quality", "other",
]  # fmt: skip
"""What customers who cancel may tell as the reason."""

MARK = "storefront"
NAMES = "portal_configuration:"
"""What the names begin with under which configurations are remembered."""

Content = dict[str, Any]
Pair = tuple[str, str]
Ids = tuple[str, str]
Products = dict[str, list[str]]
"""Product id -> the ids of its subscription prices."""


class NothingToManage(BadInput):
    """The customer never bought anything that the portal could show."""

    code = "nothing_to_manage"
    title = "Nothing to manage yet"

    def __init__(self) -> None:
        super().__init__("There is nothing to manage yet: it begins with your first plan.")


@dataclass(frozen=True)
class Portal:
    """Opens the portal for one visit; each method returns the URL to send the customer to, and
    raises NothingToManage, StripeUnavailable or StripeRefused."""

    gateway: StripeGateway
    config: Config
    catalog: Catalog

    def home(self, user: User) -> str:
        """All that the portal offers."""
        return self._open(user, None)

    def update_card(self, user: User) -> str:
        """Another card for what is charged by itself."""
        return self._open(user, self._flow("payment_method_update"))

    def cancel(self, user: User) -> str:
        """Cancel the subscription at the end of its period. Raises BadInput when there is none, or
        when that is already decided."""
        live = self._live(user, "There is no subscription to cancel.")
        if live.ends_at:
            raise BadInput("Your subscription is canceled already and ends by itself.")
        what = {"subscription": live.stripe_subscription_id}
        return self._open(user, self._flow("subscription_cancel", what))

    def change(self, user: User, plan_code: str, interval: str) -> str:
        """Confirm the change to exactly this plan and interval. Raises BadInput when there is
        nothing to change, the plan is not sold so, or it is the customer's already."""
        wanted = self._price(plan_code, interval)
        live = self._live(user, "You have no subscription to change. Choose a plan below.")
        same = (live.plan, live.interval) == (plan_code, interval)
        if live.status not in CHANGEABLE or (same and live.ends_at):
            return self.home(user)  # where it is put right, or resumed
        if same:
            raise BadInput("This is your plan already.")
        item = {"id": live.stripe_item_id, "price": wanted.id, "quantity": live.quantity}
        what = {"subscription": live.stripe_subscription_id, "items": [item]}
        flow = self._flow("subscription_update_confirm", what)
        return self._open(user, flow, product_id=wanted.product_id)

    def _price(self, plan_code: str, interval: str) -> StripePrice:
        plan = self.catalog.plan(plan_code)
        if plan.billing != "subscription":
            raise BadInput(f"{plan.name} is not a subscription that one could change to.")
        if plan.price(interval) is None:
            sold = " or ".join(price.interval for price in plan.prices)
            raise BadInput(f"{plan.name} is sold {sold}.")
        found = prices.find(db.session(), self.catalog, self.config.livemode, plan_code, interval)
        if found is None:
            raise BadInput(f"{plan.name} is not yet available {interval}. Try again later.")
        return found

    def _live(self, user: User, otherwise: str) -> Subscription:
        live = subscriptions.live(db.session(), user.id)
        if live is None:
            raise BadInput(otherwise)
        return live

    def _flow(self, kind: str, what: Content | None = None) -> Content:
        """A flow hides the rest of the portal, and comes straight back when it is done."""
        back = {"type": "redirect", "redirect": {"return_url": self._return_url}}
        about = {kind: what} if what else {}
        return {"type": kind, **about, "after_completion": back}

    @property
    def _return_url(self) -> str:
        return self.config.app_url + self.config.portal_return_path

    def _open(self, user: User, flow: Content | None, product_id: str | None = None) -> str:
        """A session of the portal; `product_id` is one that it must offer."""
        customer_id = user.stripe_customer_id
        if customer_id is None:
            raise NothingToManage
        content = self._content(product_id)
        known = configuration_id(self.gateway, content)
        try:
            return self._session(customer_id, known, flow)
        except CustomerMissing:
            raise NothingToManage from None
        except ConfigurationMissing:
            replaced = configuration_id(self.gateway, content, instead_of=known)
            return self._session(customer_id, replaced, flow)

    def _session(self, customer_id: str, configuration_id: str, flow: Content | None) -> str:
        return self.gateway.create_portal_session(
            customer_id=customer_id,
            configuration_id=configuration_id,
            return_url=self._return_url,
            flow=flow,
        )

    def _content(self, product_id: str | None) -> Content:
        sold = prices.current(db.session(), self.catalog, self.config.livemode)
        ids = {pair: (price.product_id, price.id) for pair, price in sold.items()}
        return configuration(self.config, changeable(ids, product_id))


def configuration_id(
    gateway: StripeGateway, content: Content, instead_of: str | None = None, attempt: int = 1
) -> str:
    """The configuration with this content, made at the first need; `instead_of` is one that
    Stripe does not know (any more), or has switched off. The idempotency key is made of the
    content, so that two who make it at once get the same one; `attempt` counts answers of 500,
    which Stripe repeats for a key. Its name stands in its metadata, so
    that `flask catalog apply` finds it again without our table.
    Raises StripeUnavailable, StripeRefused."""
    name = configuration_name(content)
    known = prices.remembered(db.session(), name)
    if known is not None and known != instead_of:
        return known
    key = ":".join(filter(None, (name, instead_of, str(attempt) if attempt > 1 else None)))
    marked = content | {"metadata": {MARK: name}}
    made = gateway.create_portal_configuration(idempotency_key=key, content=marked)
    prices.remember(name, made)
    return made


def configuration_name(content: Content) -> str:
    """The name under which the configuration with this content is remembered."""
    text = json.dumps(content, sort_keys=True)
    return f"{NAMES}{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def changeable(sold: Mapping[Pair, Ids], needed: str | None = None) -> Products:
    """What one can change to, of everything that is sold (by plan and interval, the ids of product
    and price): subscriptions, as many as one configuration takes, the `needed` product in any
    case."""
    products: Products = {}
    for (_, interval), (product_id, price_id) in sorted(sold.items()):
        if interval != "one_time":
            products.setdefault(product_id, []).append(price_id)
    return at_most(MAXIMUM_PRODUCTS, products, needed)


def at_most(count: int, products: Products, needed: str | None) -> Products:
    """The first `count` products, the needed one among them: a catalogue may have more than one
    configuration takes."""
    if len(products) <= count:
        return products
    chosen = sorted(products, key=lambda product: product != needed)[:count]
    return {product: products[product] for product in chosen}


def configuration(config: Config, products: Products) -> Content:
    """What customers may do in the portal; `products` with their subscription prices are what can
    be changed to.

    A change is invoiced at once, so that it is paid for when it is made; a cancellation waits for
    the end of the period, which is paid for already.
    """
    profile = {"terms_of_service_url": config.terms_url, "privacy_policy_url": config.privacy_url}
    return {
        "business_profile": {name: url for name, url in profile.items() if url},
        "default_return_url": config.app_url + config.portal_return_path,
        "features": {
            "customer_update": {"enabled": True, "allowed_updates": ["address", "name", "tax_id"]},
            "invoice_history": {"enabled": True},
            "payment_method_update": {"enabled": True},
            "subscription_cancel": {
                "enabled": True,
                "mode": "at_period_end",
                "cancellation_reason": {"enabled": True, "options": REASONS},
            },
            "subscription_update": _update(products),
        },
    }


def _update(products: Products) -> Content:
    if not products:
        return {"enabled": False}
    return {
        "enabled": True,
        "default_allowed_updates": ["price"],
        "proration_behavior": "always_invoice",
        "products": [{"product": id, "prices": prices} for id, prices in products.items()],
    }
