"""`flask jobs …`: work promised and not yet done, and the schedule."""

import json
from datetime import datetime, timedelta
from typing import Any

import click
from flask.cli import AppGroup

from storefront import jobs, work
from storefront.cli_values import plain
from storefront.db import db, transaction, utcnow
from storefront.jobs import EntryState

COLOURS = {"failed": "red", "late": "red", "running": "cyan", "never run": "yellow"}
COLUMNS = ("entry", "every", "state", "last run (UTC)", "took", "next run (UTC)", "last error")

jobs_commands = AppGroup("jobs", help="Work promised and not yet done, and the schedule.")


@jobs_commands.command("list")
def list_jobs() -> None:
    """List unfinished jobs, those that were given up first."""
    for job in jobs.listed(db.session()):
        error = f": {job.last_error}" if job.last_error else ""
        state = job.state(utcnow())
        click.echo(f"{job.key} ({job.kind}): {state}, attempt {job.attempts}{error}")


@jobs_commands.command("retry")
@click.argument("keys", nargs=-1, required=True)
def retry_jobs(keys: tuple[str, ...]) -> None:
    """Have unfinished jobs tried again now, also those that were given up."""
    for key in keys:
        with transaction() as session:
            found = jobs.retry(session, key)
        if not found:
            raise click.ClickException(f"{key}: no such job that could be tried again")
        click.echo(f"{key}: will be tried again")


@jobs_commands.command("schedule")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def show_schedule(as_json: bool) -> None:
    """Show what workers do again and again: how often, the last run, its error, the next run."""
    entries = work.schedule_state(db.session())
    if as_json:
        click.echo(json.dumps([_facts(each) for each in entries], indent=2))
        return
    rows = [COLUMNS, *(_row(each) for each in entries)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS) - 1)]
    for number, row in enumerate(rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        if number:
            cells[2] = click.style(cells[2], fg=COLOURS.get(row[2]))
        click.echo("  ".join([*cells, row[-1]]).rstrip())


def _row(each: EntryState) -> tuple[str, ...]:
    return (
        each.name,
        _span(each.interval),
        each.state,
        _second(each.started_at),
        "" if each.took_ms is None else f"{each.took_ms:,} ms",
        _second(each.next_at),
        plain(each.error or "")[:200],
    )


def _facts(each: EntryState) -> dict[str, Any]:
    times = {name: it.isoformat() for name, it in vars(each).items() if isinstance(it, datetime)}
    seconds = int(each.interval.total_seconds())
    facts = {name: it for name, it in vars(each).items() if name != "interval"}
    return facts | times | {"interval_seconds": seconds}


def _span(interval: timedelta) -> str:
    """The largest unit that says it in a whole number."""
    seconds = int(interval.total_seconds())
    units = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
    size, name = next(unit for unit in units if seconds % unit[0] == 0)
    return f"{seconds // size} {name}"


def _second(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"
