"""`flask reconcile`: Stripe's books against ours."""

import json
import sys
from datetime import datetime, timedelta
from typing import Any, NoReturn

import click
from flask.cli import with_appcontext

from storefront import reconciling
from storefront.cli_values import Age, Moment, minute, plain
from storefront.db import db, utcnow
from storefront.errors import StorefrontError
from storefront.money import format_money
from storefront.reconciling import Asked, Difference, Reconciliation, Repair, Tally
from storefront.stripe_gateway import Window, reason
from storefront.web import current

MINOR, MONEY, UNFINISHED = 1, 2, 3
"""Exit codes, by what is still different at the end."""

CLEAR_LINE = "\r\033[K"
HEAD = ("KIND", "AT STRIPE", "HERE", "CUSTOMER", "STRIPE SAYS", "WE SAY", "WHAT")
WIDTHS = (20, 28, 36, 36, 14, 14)


@click.command("reconcile")
@click.option("--since", type=Moment(), help="Only what Stripe made since then, such as 3d.")
@click.option("--repair", is_flag=True, help="Do what the ordinary functions would have done.")
@click.option(
    "--min-age",
    type=Age(),
    default=reconciling.MINIMUM_AGE,
    show_default="5m",
    help="What changed since then is still moving; 0m compares it as well.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
@with_appcontext
def reconcile(since: datetime | None, repair: bool, min_age: timedelta, as_json: bool) -> None:
    """Compare Stripe's books with ours; exit 1 for minor differences, 2 when money differs."""
    if since is not None and since > utcnow():
        raise click.BadParameter("This time is in the future.", param_hint="--since")
    teller = _Document() if as_json else _Table()
    asked = Asked(repair, min_age, None, teller.found, teller.repaired, teller.progress)
    given = (current.gateway(), current.catalog(), current.settings().livemode)
    try:
        run = reconciling.reconcile(*given, [Window(since)], asked)
    except StorefrontError as error:
        _unfinished(teller, reason(error))
    teller.end(run)
    if run.remaining:
        sys.exit(MONEY if run.money_remaining else MINOR)


def _unfinished(teller: "_Table | _Document", why: str) -> NoReturn:
    teller.end(reconciling.latest(db.session())[0])
    click.echo(f"not finished: {plain(why)}", err=True)
    sys.exit(UNFINISHED)


class _Progress:
    """A line that is written over, on a terminal alone."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def progress(self, tally: Tally) -> None:
        if self._shown:
            *_, (name, count) = tally.listed.items()
            told = f"{count:,} {name}, {sum(tally.listed.values()):,} objects in all"
            click.echo(f"{CLEAR_LINE}… {told}", nl=False, err=True)

    def clear(self) -> None:
        if self._shown:
            click.echo(CLEAR_LINE, nl=False, err=True)


class _Table(_Progress):
    """Differences as lines, as they are found; then repairs; then the sum."""

    def __init__(self) -> None:
        super().__init__()
        self._headed = False

    def found(self, difference: Difference) -> None:
        self.clear()
        if not self._headed:
            click.echo(_columns(HEAD))
            self._headed = True
        click.echo(_columns(_cells(difference)))

    def repaired(self, repair: Repair) -> None:
        self.clear()
        about = f"{repair.difference.kind} of {repair.difference.subject}"
        if repair.done:
            click.echo(f"repaired: {about}")
            return
        why = repair.trouble or "; ".join(it.what for it in repair.left)
        click.echo(f"left: {about}: {plain(why)}")

    def end(self, run: Reconciliation) -> None:
        self.clear()
        for line in _summary(run):
            click.echo(line)


class _Document(_Progress):
    """One JSON object, written as it comes, so that it may be of any length."""

    def __init__(self) -> None:
        super().__init__()
        click.echo('{"differences": [', nl=False)
        self._comma, self._repairing = "", False

    def found(self, difference: Difference) -> None:
        self._item(reconciling.plain(difference))

    def repaired(self, repair: Repair) -> None:
        self._begin_repairs()
        self._item(
            {
                "kind": repair.difference.kind,
                "subject": repair.difference.subject,
                "repaired": repair.done,
                "left": [reconciling.plain(it) for it in repair.left],
                "trouble": repair.trouble,
            }
        )

    def end(self, run: Reconciliation) -> None:
        self._begin_repairs()
        told = json.dumps(_sums(run), indent=2)
        click.echo(f"\n],{told[1:]}")

    def _begin_repairs(self) -> None:
        if not self._repairing:
            click.echo('\n], "repairs": [', nl=False)
            self._comma, self._repairing = "", True

    def _item(self, values: dict[str, Any]) -> None:
        click.echo(f"{self._comma}\n  {json.dumps(values)}", nl=False)
        self._comma = ","


def _sums(run: Reconciliation) -> dict[str, Any]:
    return {
        "livemode": run.livemode,
        "since": run.since.isoformat() if run.since else None,
        "until": run.until.isoformat(),
        "compared": run.compared,
        "foreign": run.foreign_objects,
        "moving": run.moving,
        "counts": reconciling.counts(run),
        "fees": json.loads(run.fees),
        "repaired": run.repaired,
        "remaining": run.remaining,
        "money_remaining": run.money_remaining,
        "error": run.error,
    }


def _summary(run: Reconciliation) -> list[str]:
    counts = ", ".join(f"{count} {kind}" for kind, count in reconciling.counts(run).items())
    fees = [format_money(fee, currency) for currency, fee in json.loads(run.fees).items()]
    since = f" since {minute(run.since)}" if run.since else ""
    lines = [
        f"{run.compared} objects of Stripe's compared{since}: {run.foreign_objects} of other sales,"
        f" {run.moving} still moving",
        f"{run.differences} differences{f' ({counts})' if counts else ''}, {run.repaired} repaired,"
        f" {run.remaining} left, {run.money_remaining} of them about money",
    ]
    return lines + ([f"fees at Stripe: {', '.join(fees)}"] if fees else [])


def _cells(difference: Difference) -> tuple[str, ...]:
    return (
        difference.kind,
        difference.stripe_id or "-",
        difference.our_id or "-",
        difference.user_id or difference.customer_id or "-",
        _figure(difference.theirs, difference.unit),
        _figure(difference.ours, difference.unit),
        difference.what,
    )


def _figure(value: int | None, unit: str | None) -> str:
    if value is None or unit is None:
        return "-"
    return f"{value:,} credits" if unit == reconciling.CREDITS else format_money(value, unit)


def _columns(cells: tuple[str, ...]) -> str:
    *padded, last = map(plain, cells)
    return "  ".join([*(it.ljust(w) for it, w in zip(padded, WIDTHS, strict=True)), last])
