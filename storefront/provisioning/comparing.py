"""The catalogue and the shop against the account of the configured keys. Reading only."""

from storefront.catalog import Catalog
from storefront.provisioning.actions import Action
from storefront.provisioning.endpoint import compare_endpoint
from storefront.provisioning.plans import compare_plans
from storefront.provisioning.portal_configuration import Sold, compare_configuration
from storefront.provisioning.site import Site
from storefront.stripe_gateway import StripeGateway


def compare(gateway: StripeGateway, catalog: Catalog, site: Site | None = None) -> list[Action]:
    """What there is to do so that everything in the catalogue is for sale and, with a site, its
    events and its customers' portal are in order; Nothing for what is right already.
    Raises StripeUnavailable, StripeRefused, Unprocessable."""
    actions, sold = compare_plans(gateway, catalog)
    return actions + compare_site(gateway, catalog, site, sold)


def compare_site(
    gateway: StripeGateway, catalog: Catalog, site: Site | None, sold: Sold
) -> list[Action]:
    """`sold` is what can be bought, by plan and interval."""
    if site is None:
        return []
    configuration = compare_configuration(gateway, catalog, site, sold)
    return [*configuration, *compare_endpoint(gateway, site)]
