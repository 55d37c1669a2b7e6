"""One action at Stripe."""

from storefront import portal
from storefront.provisioning.actions import (
    Action,
    ArchiveConfiguration,
    ArchivePrice,
    ArchiveProduct,
    ChangeConfiguration,
    ChangeEndpoint,
    ChangePrice,
    ChangeProduct,
    CreateConfiguration,
    CreateEndpoint,
    CreatePrice,
    CreateProduct,
    DeleteEndpoint,
)
from storefront.provisioning.endpoint import make_endpoint
from storefront.provisioning.keys import idempotency_key
from storefront.provisioning.site import Site
from storefront.stripe_gateway import StripeGateway


def carry_out(gateway: StripeGateway, site: Site | None, action: Action, attempt: int) -> None:
    """Do it; `attempt` counts answers of 500, each of which asks for another idempotency key.
    Raises StripeUnavailable, StripeRefused, NotFound."""
    if action.kind in ("product", "price"):
        _sell(gateway, action, attempt)
    else:
        assert site is not None, "only a site has an endpoint and a portal"
        _serve(gateway, site, action, attempt)


def _sell(gateway: StripeGateway, action: Action, attempt: int) -> None:
    match action:
        case CreateProduct(product_id=id, plan=plan):
            gateway.create_product(
                id,
                name=plan.name,
                description=plan.description,
                plan=plan.code,
                idempotency_key=idempotency_key(
                    "product", id, plan.name, plan.description, attempt
                ),
            )
        case ChangeProduct(product_id=id, plan=plan):
            gateway.change_product(id, name=plan.name, description=plan.description, plan=plan.code)
        case ArchiveProduct(product_id=id):
            gateway.archive_product(id)
        case CreatePrice(new=new, replaces=old):
            if old is not None:  # marked, so that it is archived even if we are interrupted now
                gateway.change_price(old, metadata=new.metadata)
            gateway.create_price(new, idempotency_key=idempotency_key("price", new, old, attempt))
        case ChangePrice(price_id=id, lookup_key=key, metadata=metadata):
            gateway.change_price(id, active=True, lookup_key=key, metadata=metadata)
        case ArchivePrice(price_id=id, product_id=product_id):
            gateway.archive_price(id, product_id)
        case _:
            raise AssertionError(f"nobody knows how to do {action}")


def _serve(gateway: StripeGateway, site: Site, action: Action, attempt: int) -> None:
    match action:
        case CreateConfiguration(content=content, instead_of=old):
            portal.configuration_id(gateway, dict(content), old, attempt)
        case ChangeConfiguration(configuration_id=id, content=content):
            gateway.change_portal_configuration(id, content)
        case ArchiveConfiguration(configuration_id=id):
            gateway.change_portal_configuration(id, {"active": False})
        case CreateEndpoint():
            make_endpoint(gateway, site, action, attempt)
        case ChangeEndpoint(endpoint_id=id, url=url, events=events):
            gateway.change_webhook_endpoint(id, url=url, events=events)
        case DeleteEndpoint(endpoint_id=id):
            gateway.delete_webhook_endpoint(id)
        case _:
            raise AssertionError(f"nobody knows how to do {action}")
