"""An operator with a browser, but without one; and what they see of the audit log."""

from flask import Flask
from sqlalchemy import select

from storefront.auditing import AuditEntry
from storefront.db import db, transaction
from storefront.users import User
from tests.support.builders import Customer, a_user
from tests.web.visitor import Visitor

Operator = Visitor


def an_operator(app: Flask) -> Operator:
    """An account made an operator with SQL's own word, and signed in."""
    account = made_operator(app, a_user(app))
    visitor = Visitor(app.test_client(), account.email)
    assert visitor.signs_in().status_code == 303
    return visitor


def made_operator(app: Flask, account: Customer) -> Customer:
    with app.app_context(), transaction() as session:
        session.get_one(User, account.id).is_admin = True
    return account


def deeds(app: Flask) -> list[AuditEntry]:
    """The audit log, the oldest first."""
    with app.app_context():
        return list(db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)))
