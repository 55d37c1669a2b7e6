"""What the functions that do jobs may use."""

from dataclasses import dataclass

from storefront.catalog import Catalog
from storefront.config import Config
from storefront.mail import Mailer
from storefront.stripe_gateway import StripeGateway


@dataclass(frozen=True)
class Context:
    """Handed to each of them, so that none reaches for the app."""

    config: Config
    catalog: Catalog
    gateway: StripeGateway
    mailer: Mailer
