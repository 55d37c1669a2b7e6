"""What the checks look at: the settings, Stripe, the database, and the shop that is running."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from sqlalchemy.orm import Session

from storefront import provisioning
from storefront.catalog import Catalog
from storefront.config import ROOT, Config
from storefront.db import db, sqlite_module
from storefront.doctor.asking import Answer, get
from storefront.doctor.findings import Finding, NotLookedAt, failure, warning
from storefront.errors import StorefrontError
from storefront.mail import Mailer
from storefront.provisioning import Action, Site
from storefront.stripe_gateway import AccountFacts, EndpointFacts, StripeGateway, reason


@dataclass(frozen=True)
class Visit:
    """One run of the doctor. What is asked of Stripe and of the running shop is asked once.

    `flask` are Flask's settings, `policy` is the Content-Security-Policy of a page on which one
    pays, `revisions` tells the database's migration and the newest one. With `live` the going-live
    list is gone through as well."""

    config: Config
    catalog: Catalog
    gateway: StripeGateway
    mailer: Mailer
    event_types: tuple[str, ...]
    flask: Mapping[str, Any]
    policy: str
    revisions: Callable[[], tuple[str | None, str | None]]
    live: bool = False
    gunicorn_file: Path = ROOT / "gunicorn.conf.py"
    sqlite_version: str = sqlite_module().sqlite_version

    @property
    def session(self) -> Session:
        return cast(Session, db.session())

    @cached_property
    def revision(self) -> tuple[str | None, str | None]:
        """The database's migration, and the newest one."""
        return self.revisions()

    def tables(self) -> Session:
        """For checks that read our tables. Raises NotLookedAt when they are of another version."""
        if self.revision[0] != self.revision[1]:
            raise NotLookedAt("the database has not the tables of this version")
        return self.session

    @property
    def strict(self) -> bool:
        """Whether real money is at stake, or soon will be."""
        return self.live or self.config.production

    def bad(self, found: str, mend: str) -> Finding:
        """A failure where money is at stake, else a warning."""
        return failure(found, mend) if self.strict else warning(found, mend)

    @property
    def site(self) -> Site:
        return Site(self.config, self.event_types)

    @cached_property
    def account(self) -> AccountFacts | StorefrontError:
        """What Stripe says of the account, or why it says nothing."""
        try:
            return self.gateway.account()
        except StorefrontError as error:
            return error

    def stripe(self) -> StripeGateway:
        """For checks that ask Stripe. Raises NotLookedAt when it does not answer at all."""
        if isinstance(self.account, StorefrontError):
            raise NotLookedAt("Stripe does not answer us")
        return self.gateway

    @cached_property
    def actions(self) -> list[Action] | StorefrontError:
        """What `flask catalog plan` finds, or why it finds nothing."""
        try:
            return provisioning.compare(self.stripe(), self.catalog, self.site)
        except StorefrontError as error:
            return error

    def planned(self, *kinds: str) -> list[Action]:
        """What is to be done about these. Raises NotLookedAt."""
        if isinstance(self.actions, StorefrontError):
            raise NotLookedAt(f"the plan cannot be made: {reason(self.actions)}")
        return [action for action in self.actions if action.differs and action.kind in kinds]

    @cached_property
    def endpoint(self) -> EndpointFacts | None:
        """The webhook endpoint of this shop at Stripe."""
        self.tables()
        return provisioning.endpoint_of(self.stripe(), self.site)

    @property
    def out_of_reach(self) -> str | None:
        """Why Stripe cannot send events here, so that they are forwarded instead."""
        return provisioning.why_out_of_reach(self.config)

    @cached_property
    def answer(self) -> Answer | str:
        """What the running shop answers at APP_URL, or why nothing does."""
        return get(f"{self.config.app_url}/readyz")
