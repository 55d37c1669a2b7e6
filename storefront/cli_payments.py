"""`flask payments …`: payments that customers did not go on with."""

import sys
from collections import Counter
from datetime import timedelta

import click
from flask.cli import AppGroup

from storefront import sweeping
from storefront.cli_values import Age, minute, plain
from storefront.errors import StorefrontError
from storefront.stripe_gateway import reason
from storefront.sweeping import Swept
from storefront.web import current

payments_commands = AppGroup("payments", help="Payments.")


@payments_commands.command("expire-stale")
@click.option("--older-than", type=Age(), help="Such as 24h; STALE_PAYMENT_HOURS unless given.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing.")
def expire_stale(older_than: timedelta | None, dry_run: bool) -> None:
    """Cancel unpaid payments and checkouts of this age, settle those that are paid after all; exit
    1 if any could be neither."""
    age = older_than
    if age is None:
        age = timedelta(hours=current.settings().stale_payment_hours)
    counts: Counter[str] = Counter()
    try:
        for swept in sweeping.sweep(current.gateway(), age, dry_run=dry_run):
            counts[swept.ending or "failed"] += 1
            _tell(swept, dry_run)
    except StorefrontError as error:
        _summarise(counts, dry_run)
        raise click.ClickException(f"Ended early: {plain(reason(error))}") from None
    _summarise(counts, dry_run)
    sys.exit(1 if counts["failed"] else 0)


def _tell(swept: Swept, dry_run: bool) -> None:
    line = f"{swept.kind} {swept.id} of {minute(swept.place[1])}: "
    if swept.error is not None:
        click.echo(line + plain(swept.error), err=True)
    else:
        click.echo(f"{line}{'would be ' if dry_run else ''}{swept.ending}")


def _summarise(counts: Counter[str], dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    click.echo(
        f"{would}settled: {counts['settled']}, {would}canceled: {counts['canceled']}, "
        f"left alone: {counts['left alone']}, failed: {counts['failed']}"
    )
