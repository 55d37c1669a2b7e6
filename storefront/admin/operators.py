"""Who is an operator."""

from storefront import users
from storefront.auditing import Actor, record
from storefront.db import transaction
from storefront.errors import NotFound
from storefront.users import User


def promote(actor: Actor, email: str) -> bool:
    """Make a customer an operator; False when they are one already. Raises NotFound."""
    return _set(actor, email, True)


def demote(actor: Actor, email: str) -> bool:
    """The other way round. It counts from the next request on, also in sessions that are open."""
    return _set(actor, email, False)


def _set(actor: Actor, email: str, wanted: bool) -> bool:
    found = users.find_by_email(email)
    if found is None:
        raise NotFound(f"There is no customer with the address {email}.")
    user_id = found.id
    with transaction() as session:
        user = session.get_one(User, user_id, with_for_update=True, populate_existing=True)
        if user.is_admin == wanted:
            return False
        user.is_admin = wanted
        action = "user_promoted" if wanted else "user_demoted"
        facts = ({"is_admin": not wanted}, {"is_admin": wanted})
        record(session, actor, action, user_id, before=facts[0], after=facts[1])
    return True
