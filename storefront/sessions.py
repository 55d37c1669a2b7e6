"""Sessions: what their cookie says, and which have ended although their cookie has not run out.

The cookie is Flask's, signed and kept by the browser. It names the account, the version of its
sessions (raising it ends them all) and the session itself, so that signing out ends this one for
everybody who has a copy of the cookie.
"""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import Text, bindparam, delete, exists, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storefront.db import STRICT, Base, Utc, db, insert, read_lightly, transaction, utcnow
from storefront.ledger import Account, wallet_id
from storefront.users import User

LIFETIME = timedelta(days=14)
"""From the sign-in on, whatever happens in between."""


class EndedSession(Base):
    """A session that was ended by signing out."""

    __tablename__ = "ended_sessions"
    __table_args__ = STRICT

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    ended_at: Mapped[datetime] = mapped_column(Utc, default=utcnow, index=True)


_USER = (
    select(User, exists().where(EndedSession.name == bindparam("name")), Account.balance)
    .outerjoin(Account, Account.id == bindparam("wallet"))
    .where(User.id == bindparam("user_id"))
)
"""Every page asks it, so it is put together once; nearly every page shows the balance."""


def begin(user: User) -> None:
    """Give the session that is about to begin a name of its own."""
    user.session_name = secrets.token_urlsafe(16)


def user_of(cookie: str) -> User | None:
    """The user of a session cookie; None when that session has ended. One query, the first
    of its request."""
    read_lightly()
    user_id, version, name = [*cookie.split(":", 2), "", ""][:3]
    asked = {"user_id": user_id, "name": name, "wallet": wallet_id(user_id)}
    found = db.session.execute(_USER, asked).first()
    if found is None or not name or found[1] or str(found[0].session_version) != version:
        return None
    user: User = found[0]
    user.session_name, user.balance = name, found[2] or 0
    return user


def end(user: User) -> None:
    """End the session that this user came with; twice is fine."""
    name = user.session_name
    with transaction() as session:
        row = insert(session, EndedSession).values(name=name, ended_at=utcnow())
        session.execute(row.on_conflict_do_nothing())


def prune(session: Session, limit: int) -> int:
    """Forget sessions whose cookies have run out by now; how many, `limit` at the most."""
    over = select(EndedSession.name).where(EndedSession.ended_at < utcnow() - LIFETIME)
    gone = session.execute(
        delete(EndedSession)
        .where(EndedSession.name.in_(over.limit(limit)))
        .returning(EndedSession.name)
    )
    return len(gone.all())
