"""Objects at Stripe that we made for ourselves, found again by a name of ours."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.db import insert, transaction, utcnow
from storefront.prices.tables import StripeObject


def remembered(session: Session, name: str) -> str | None:
    """Stripe's id of the object with this name, or None. It may be gone at Stripe."""
    found = session.get(StripeObject, name)
    return found.stripe_id if found else None


def remembered_by_prefix(session: Session, prefix: str) -> dict[str, str]:
    """Stripe's ids of all objects whose names begin so, by name."""
    query = select(StripeObject).where(StripeObject.name.startswith(prefix, autoescape=True))
    return {found.name: found.stripe_id for found in session.scalars(query)}


def remember(name: str, stripe_id: str) -> None:
    """Keep an id under a name, in place of the one that was kept there before."""
    with transaction() as session:
        row = {"stripe_id": stripe_id, "created_at": utcnow()}
        kept = insert(session, StripeObject).values(name=name, **row)
        session.execute(kept.on_conflict_do_update(index_elements=["name"], set_=row))
