"""`flask ledger …`: the books, checked and explained."""

import dataclasses
import json
import sys
from datetime import UTC, datetime
from typing import Any

import click
from flask.cli import AppGroup

from storefront import explaining, ledger, users
from storefront.db import db, utcnow
from storefront.errors import NotFound
from storefront.explaining import Explanation, Parcel
from storefront.money import format_money
from storefront.users import User

ledger_commands = AppGroup("ledger", help="The books.")


@ledger_commands.command("verify")
def verify() -> None:
    """Recompute every balance from the transfers; exit 1 naming each wallet that differs."""
    wrong = ledger.verify(db.session())
    for discrepancy in wrong:
        click.echo(f"{discrepancy.account}: {discrepancy.finding}", err=True)
    if wrong:
        sys.exit(1)
    wallets, transfers = ledger.sizes(db.session())
    click.echo(f"ledger verified: {wallets} wallets, {transfers} transfers, nothing differs")


@ledger_commands.command("explain")
@click.argument("user")
@click.option("--at", "time", metavar="TIME", help="Such as 2027-01-31T12:00, UTC if not said.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def explain(user: str, time: str | None, as_json: bool) -> None:
    """Lead each credit of a customer's balance back to its cause. USER is an e-mail address or an
    id."""
    customer = _customer(user)
    at = _moment(time) if time is not None else None
    explanation = explaining.explain(db.session(), customer.id, at)
    if as_json:
        plain = dataclasses.asdict(explanation) | {"email": customer.email}
        click.echo(json.dumps(plain, indent=2, default=_text_of))
        return
    for line in _lines(explanation, customer.email):
        click.echo(line)


def _customer(name: str) -> User:
    found = users.find_by_email(name) if "@" in name else None
    try:
        return found or users.find(name)
    except NotFound:
        raise click.ClickException(
            f"{name!r} is no customer; give an e-mail address or an id (usr_…)."
        ) from None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.ClickException(
            f"{text!r} is no time; write such as 2027-01-31 or 2027-01-31T12:00+01:00."
        ) from None
    if moment > utcnow():
        raise click.ClickException(f"{text!r} is still to come; its balance is not known yet.")
    return moment


def _text_of(value: Any) -> str:
    assert isinstance(value, datetime)
    return value.isoformat()


def _lines(explanation: Explanation, email: str) -> list[str]:
    head = f"{email} ({explanation.user_id}): {explanation.balance:,} credits at"
    lines = [f"{head} {_time(explanation.at)}"]
    for parcel in explanation.parcels:
        end = f"until {_time(parcel.expires_at)}" if parcel.expires_at else "for good"
        lines += _parcel(f"{parcel.credits:,} of {parcel.of:,}, {end}", parcel)
    for debt in explanation.debts:
        lines += _parcel(f"{debt.credits:,} of {debt.of:,} owed", debt)
    if explanation.older:
        lines.append(f"  {explanation.older:,} more, of older causes")
    return lines


def _parcel(what: str, parcel: Parcel) -> list[str]:
    cause = parcel.cause
    money = ""
    if cause.amount is not None and cause.currency is not None:
        money = f", {format_money(cause.amount, cause.currency)}"
    return [
        f"  {what}: {cause.text}{money}, {_time(cause.happened_at)}",
        f"    {' '.join((cause.transfer_id, *cause.stripe_ids))}",
        *(
            f"    {event.id} {event.type} of {event.object_id}, {event.state}"
            for event in cause.events
        ),
    ]


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
