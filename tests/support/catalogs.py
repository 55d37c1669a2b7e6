"""Catalogues for tests: the shop's own, with some of its lines changed."""

from storefront.catalog import Catalog, parse
from storefront.config import ROOT

TEXT = (ROOT / "catalog.toml").read_text()


def a_catalog(*changes: tuple[str, str]) -> Catalog:
    """The catalogue of catalog.toml with each first text replaced by the second."""
    text = TEXT
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} is not there once"
        text = text.replace(old, new)
    return parse(text)


def with_ids(mode: str, **ids: str) -> tuple[str, str]:
    """A change for a_catalog(): Stripe's ids of the Premium plan, given explicitly."""
    lines = "\n".join(f'{name} = "{id}"' for name, id in ids.items())
    return "[plans.cta]\n", f"[plans.stripe.{mode}]\n{lines}\n\n[plans.cta]\n"
