"""The catalogue as code: what Stripe must have for everything in it to be for sale, for its events
to arrive and its portal to open, compared with what it has, and made so."""

from storefront.provisioning.actions import Action
from storefront.provisioning.applying import Applied, apply
from storefront.provisioning.comparing import compare
from storefront.provisioning.endpoint import endpoint_of, fingerprint_at, is_by_bin_run
from storefront.provisioning.site import (
    Site,
    fingerprint_of,
    listen_command,
    why_out_of_reach,
)

__all__ = [
    "Action",
    "Applied",
    "Site",
    "apply",
    "compare",
    "endpoint_of",
    "fingerprint_at",
    "fingerprint_of",
    "is_by_bin_run",
    "listen_command",
    "why_out_of_reach",
]
