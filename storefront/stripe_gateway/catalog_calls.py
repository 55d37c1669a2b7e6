"""Calls about products and prices: what they are, and making them as the catalogue says."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from storefront.errors import NotFound, StripeRefused
from storefront.stripe_gateway.billing_facts import PriceFacts, PriceInterval, ProductFacts
from storefront.stripe_gateway.calls import PAGE, Calls, all_pages, code_of, translated
from storefront.stripe_gateway.reading import reference

KEYS_AT_ONCE = 10
"""How many lookup keys Stripe takes in one call."""

_RECURRING: dict[PriceInterval, Literal["month", "year"]] = {"monthly": "month", "yearly": "year"}


@dataclass(frozen=True)
class NewPrice:
    """A price to be made; `unit_amount` in minor units. Whoever has the lookup key loses it."""

    product_id: str
    unit_amount: int
    currency: str
    interval: PriceInterval
    lookup_key: str
    metadata: tuple[tuple[str, str], ...]


class CatalogCalls(Calls):
    def prices_by_lookup_key(self, keys: Iterable[str]) -> list[PriceFacts]:
        """The prices that have these keys, archived ones too; fewer than keys where Stripe knows
        none. Raises Unprocessable, StripeUnavailable, StripeRefused."""
        wanted, found = list(keys), []
        for start in range(0, len(wanted), KEYS_AT_ONCE):
            some = wanted[start : start + KEYS_AT_ONCE]
            found += self._prices({"lookup_keys": some})
        return found

    def active_prices(self, product_id: str) -> list[PriceFacts]:
        """The prices of a product that can be bought, the newest first. For a product that Stripe
        does not know: none, or NotFound. Raises Unprocessable, StripeUnavailable, StripeRefused."""
        return self._prices({"product": product_id, "active": True})

    def retrieve_price(self, price_id: str) -> PriceFacts:
        """Raises NotFound, Unprocessable, StripeUnavailable, StripeRefused."""
        prices = self._client.v1.prices
        found = translated(lambda: prices.retrieve(price_id, {"expand": ["product"]}))
        return PriceFacts.from_dict(found.to_dict())

    def create_price(self, new: NewPrice, *, idempotency_key: str) -> PriceFacts:
        """Raises NotFound (no such product), StripeUnavailable, StripeRefused."""
        params: Any = {
            "product": new.product_id,
            "unit_amount": new.unit_amount,
            "currency": new.currency,
            "lookup_key": new.lookup_key,
            "transfer_lookup_key": True,
            "metadata": dict(new.metadata),
        }
        if new.interval in _RECURRING:
            params["recurring"] = {"interval": _RECURRING[new.interval]}
        options: Any = {"idempotency_key": idempotency_key}
        created = translated(lambda: self._client.v1.prices.create(params, options))
        return PriceFacts.from_dict(created.to_dict())

    def change_price(
        self,
        price_id: str,
        *,
        active: bool | None = None,
        lookup_key: str | None = None,
        metadata: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Put a price on sale or archive it; give it the lookup key, whoever has it, and metadata
        besides its own. What it costs never changes.
        Raises NotFound, StripeUnavailable, StripeRefused."""
        params: Any = {} if active is None else {"active": active}
        if lookup_key is not None:
            params |= {"lookup_key": lookup_key, "transfer_lookup_key": True}
        if metadata:
            params["metadata"] = dict(metadata)
        translated(lambda: self._client.v1.prices.update(price_id, params))

    def archive_price(self, price_id: str, product_id: str) -> None:
        """Take a price off sale. Stripe refuses that for a product's default price (products that
        were made in the Dashboard have one), so another price on sale becomes the default first.
        Raises NotFound, Unprocessable, StripeUnavailable, StripeRefused."""
        products = self._client.v1.products
        product = translated(lambda: products.retrieve(product_id)).to_dict()
        if reference(product.get("default_price")) == price_id:
            others = [it.id for it in self.active_prices(product_id) if it.id != price_id]
            if others:
                translated(lambda: products.update(product_id, {"default_price": others[0]}))
        self.change_price(price_id, active=False)

    def retrieve_product(self, product_id: str) -> ProductFacts:
        """Raises NotFound (never there, or deleted), Unprocessable, StripeUnavailable,
        StripeRefused."""
        found = translated(lambda: self._client.v1.products.retrieve(product_id)).to_dict()
        if found.get("deleted"):
            raise NotFound("The payment service does not know this object.")
        return ProductFacts.from_dict(found)

    def create_product(
        self, product_id: str, *, name: str, description: str, plan: str, idempotency_key: str
    ) -> None:
        """A product under an id of our choice; one that has the id already stays as it is.
        Raises StripeUnavailable, StripeRefused."""
        params: Any = {"id": product_id, "name": name, "metadata": {"plan": plan}}
        if description:
            params["description"] = description
        options: Any = {"idempotency_key": idempotency_key}
        try:
            translated(lambda: self._client.v1.products.create(params, options))
        except StripeRefused as error:
            if code_of(error) != "resource_already_exists":
                raise

    def change_product(self, product_id: str, *, name: str, description: str, plan: str) -> None:
        """Describe a product, and put it on sale if it was archived.
        Raises NotFound, StripeUnavailable, StripeRefused."""
        params: Any = {
            "name": name,
            "description": description,  # an empty one unsets it
            "active": True,
            "metadata": {"plan": plan},
        }
        translated(lambda: self._client.v1.products.update(product_id, params))

    def archive_product(self, product_id: str) -> None:
        """Nobody can buy it any more. Raises NotFound, StripeUnavailable, StripeRefused."""
        translated(lambda: self._client.v1.products.update(product_id, {"active": False}))

    def _prices(self, params: dict[str, Any]) -> list[PriceFacts]:
        asked: Any = params | {"limit": PAGE, "expand": ["data.product"]}
        found = all_pages(lambda: self._client.v1.prices.list(asked))
        return [PriceFacts.from_dict(each) for each in found]
