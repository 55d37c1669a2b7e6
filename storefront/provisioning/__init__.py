"""The catalogue as code: what Stripe must have for everything in it to be for sale, compared with
what it has, and made so."""

from storefront.provisioning.actions import Action
from storefront.provisioning.applying import Applied, apply
from storefront.provisioning.comparing import compare

__all__ = ["Action", "Applied", "apply", "compare"]
