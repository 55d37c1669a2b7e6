"""`flask users …`: customers, and who of them is an operator."""

import secrets
from collections.abc import Callable
from pathlib import Path

import click
from flask.cli import AppGroup

from storefront import users
from storefront.admin import operators
from storefront.auditing import COMMAND_LINE, Actor
from storefront.errors import StorefrontError
from storefront.web import current

DEMO_EMAIL = "demo@example.com"
users_commands = AppGroup("users", help="Customers.")


@users_commands.command("create")
@click.argument("email")
@click.password_option(help="Asked for if not given.")
def create_user(email: str, password: str) -> None:
    """Create a customer."""
    try:
        user = users.register(email, password)
    except StorefrontError as error:
        raise click.ClickException(error.detail) from None
    click.echo(f"created {user.email} ({user.id})")


@users_commands.command("demo")
def create_demo_user() -> None:
    """Create the demo customer, unless there is one; print the sign-in. Not in production."""
    settings = current.settings()
    if settings.production or settings.livemode:
        raise click.ClickException("the demo customer is not made in production or with live keys")
    password = _kept_password(settings.instance / "demo_password")
    if users.find_by_email(DEMO_EMAIL) is None:
        users.register(DEMO_EMAIL, password)
    click.echo(f"{DEMO_EMAIL} {password}")


@users_commands.command("promote")
@click.argument("email")
def promote(email: str) -> None:
    """Make a customer an operator, who may use /admin."""
    changed = _set(operators.promote, email)
    click.echo(f"{email} is an operator now" if changed else f"{email} is an operator already")


@users_commands.command("demote")
@click.argument("email")
def demote(email: str) -> None:
    """Make an operator a customer like others; it counts at once."""
    changed = _set(operators.demote, email)
    click.echo(f"{email} is no operator any more" if changed else f"{email} is no operator")


def _set(change: Callable[[Actor, str], bool], email: str) -> bool:
    try:
        return change(COMMAND_LINE, email)
    except StorefrontError as error:
        raise click.ClickException(error.detail) from None


def _kept_password(path: Path) -> str:
    """A password made once for this copy of the shop, and kept, so that it can be told again."""
    if not path.exists():
        path.write_text(f"demo-{secrets.token_hex(3)}")
        path.chmod(0o600)
    return path.read_text().strip()
