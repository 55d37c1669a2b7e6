"""What belongs to the running app, typed: settings, catalogue, gateway, the signed-in user."""

from datetime import timedelta
from typing import cast

from flask import current_app
from flask_login import current_user

from storefront import entitlements
from storefront.catalog import Catalog
from storefront.config import Config
from storefront.entitlements import Entitlement
from storefront.mail import Mailer
from storefront.stripe_gateway import StripeGateway
from storefront.users import User
from storefront.work import Context


def settings() -> Config:
    return cast(Config, current_app.extensions["storefront_config"])


def catalog() -> Catalog:
    return cast(Catalog, current_app.extensions["catalog"])


def gateway() -> StripeGateway:
    return cast(StripeGateway, current_app.extensions["stripe_gateway"])


def work_context() -> Context:
    """What jobs are handed."""
    mailer = cast(Mailer, current_app.extensions["mailer"])
    return Context(settings(), catalog(), gateway(), mailer)


def user() -> User:
    """The signed-in user; call it only behind login_required."""
    return cast(User, current_user._get_current_object())


def grace() -> timedelta:
    """How long a plan stays on after a payment failed."""
    return timedelta(days=settings().past_due_grace_days)


def entitlement() -> Entitlement:
    """What the signed-in user may use at this moment."""
    return entitlements.of(user(), catalog(), grace())
