"""`flask webhooks …`: Stripe's events as they were received, and what became of them."""

import json
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NoReturn

import click
from flask.cli import AppGroup

from storefront import catching_up, inbox, redelivery
from storefront.catching_up import CatchUp
from storefront.cli_values import Age, Moment, minute, plain
from storefront.db import db, end_reading, transaction, utcnow
from storefront.errors import StorefrontError
from storefront.inbox import Outcome, State, StripeEvent
from storefront.stripe_gateway import reason
from storefront.web import current

BATCH = 100
PROGRESS_EVERY = 1_000
FIELDS = (
    "id", "type", "state", "attempts", "last_error", "next_try_at", "created", "received_at",
    "handled_at", "object_id", "api_version", "livemode",
)  # fmt: skip

webhooks = AppGroup("webhooks", help="Stripe's events as received.")
as_json = click.option("--json", "as_json", is_flag=True, help="For machines.")


@webhooks.command("list")
@click.option("--state", type=click.Choice(inbox.STATES), help="Only events in this state.")
@click.option("--type", "type_", help="Only this type; `invoice.*` is all that begin so.")
@click.option("--older-than", type=Age(), help="Only those received longer ago, such as 12h.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@as_json
def list_events(
    state: State | None, type_: str | None, older_than: timedelta | None, limit: int, as_json: bool
) -> None:
    """List events, the newest first, with what became of each."""
    before = utcnow() - older_than if older_than is not None else None
    found = inbox.listed(
        db.session(), state=state, type=type_, received_before=before, limit=limit + 1
    )
    if as_json:
        click.echo(json.dumps([_facts(event) for event in found[:limit]], indent=2))
        return
    for event in found[:limit]:
        click.echo(_line(event))
    if len(found) > limit:
        click.echo(f"… and more: --limit {limit * 10}", err=True)


@webhooks.command("show")
@click.argument("event_id", metavar="EVENT")
@as_json
def show(event_id: str, as_json: bool) -> None:
    """Show all that is known of an event, with its payload."""
    event = inbox.find(db.session(), event_id)
    if event is None:
        raise click.ClickException(_unknown(event_id))
    payload = json.loads(event.payload)
    if as_json:
        click.echo(json.dumps(_facts(event) | {"payload": payload}, indent=2))
        return
    for name, value in _facts(event).items():
        click.echo(f"{name}: {'' if value is None else plain(str(value))}")
    lines = json.dumps(payload, indent=2, ensure_ascii=False).splitlines()
    click.echo("\n".join(["payload:", *map(plain, lines)]))


@webhooks.command("retry")
@click.argument("event_ids", metavar="[EVENT…]", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that failed or are parked.")
def retry(event_ids: tuple[str, ...], everything: bool) -> None:
    """Try failed and parked events now, with all their attempts anew; exit 1 if any fails."""
    if everything == bool(event_ids):
        raise click.UsageError("Name events, or say --all.")
    troubles = count = 0
    for event_id in _unsettled_ids() if everything else event_ids:
        count += 1
        outcome = redelivery.retry(event_id, anew=True)
        troubles += _say(event_id, outcome) if outcome else _not_retried(event_id)
    if everything:
        click.echo(f"{count} events were tried again, {troubles} failed")
    sys.exit(1 if troubles else 0)


@webhooks.command("replay")
@click.argument("event_ids", metavar="EVENT…", nargs=-1, required=True)
def replay(event_ids: tuple[str, ...]) -> None:
    """Run events' effects once more, whatever became of them: what is right stays as it is. One
    that is unknown here is fetched from Stripe. Exit 1 if any fails."""
    troubles = 0
    for event_id in event_ids:
        try:
            troubles += _say(event_id, redelivery.replay(current.gateway(), event_id))
        except StorefrontError as error:
            known = "it is unknown here, and Stripe says: "
            click.echo(f"{plain(event_id)}: {known}{plain(reason(error))}", err=True)
            troubles += 1
    sys.exit(1 if troubles else 0)


@webhooks.command("prune")
@click.option("--older-than", type=Age(), default=inbox.PRUNED_AFTER, show_default="90d")
@as_json
def prune(older_than: timedelta, as_json: bool) -> None:
    """Delete handled and ignored events of this age; failed and parked ones stay."""
    if older_than < inbox.MINIMUM_AGE:
        raise click.BadParameter(
            f"Stripe can send an event again for 30 days: give at least {inbox.MINIMUM_AGE.days}d.",
            param_hint="--older-than",
        )
    before = utcnow() - older_than
    deleted, gone = 0, BATCH
    while gone == BATCH:
        with transaction() as session:
            gone = inbox.prune(session, before, BATCH)
        deleted += gone
    if as_json:
        click.echo(json.dumps({"deleted": deleted, "received_before": before.isoformat()}))
    else:
        click.echo(f"{deleted} events deleted that were received before {minute(before)}")


@webhooks.command("catch-up")
@click.option("--since", type=Moment(), help="Walk from this time on, whatever was walked before.")
@as_json
def catch_up(since: datetime | None, as_json: bool) -> None:
    """Take in the events that Stripe lists and we do not have; exit 1 if any needs a person."""
    _check_since(since)
    try:
        run = catching_up.catch_up(current.gateway(), since=since, eager=True, tell=_progress)
    except StorefrontError as error:
        _ended_early(error)
    covered = catching_up.coverage(db.session())
    if as_json:
        reach = {"covered_from": covered.since, "covered_until": covered.until}
        click.echo(json.dumps(_found(run) | _times(reach), indent=2))
    else:
        click.echo(_told(run))
        if covered.since and covered.until:
            click.echo(f"complete from {minute(covered.since)} to {minute(covered.until)}")
        if run.note:
            click.echo(run.note, err=True)
    sys.exit(1 if run.failed or run.note else 0)


def _check_since(since: datetime | None) -> None:
    if since is None:
        return
    if since > utcnow():
        raise click.BadParameter("This time is in the future.", param_hint="--since")
    if since < utcnow() - catching_up.RETENTION - timedelta(minutes=1):
        raise click.BadParameter("Stripe lists events for 30 days only.", param_hint="--since")


def _ended_early(error: StorefrontError) -> NoReturn:
    run = catching_up.latest(db.session())
    found = f" Before that: {_told(run)}." if run and run.listed else ""
    raise click.ClickException(f"{plain(reason(error))}{found}") from None


def _found(run: CatchUp) -> dict[str, Any]:
    return {
        "stripe_had": run.listed,
        "we_had": run.known,
        "missing": run.missing,
        "failed": run.failed,
        "complete": run.complete,
        "note": run.note,
    }


def _told(run: CatchUp) -> str:
    return (
        f"Stripe had {run.listed} events, we had {run.known}, {run.missing} were missing, "
        f"{run.failed} have failed"
    )


def _progress(tally: Any) -> None:
    if sys.stderr.isatty() and tally.listed % PROGRESS_EVERY < BATCH <= tally.listed:
        click.echo(f"… {tally.listed} events", err=True)


def _say(event_id: str, outcome: Outcome) -> bool:
    """One line of what came of a try; True when it is trouble."""
    if outcome.error is None:
        click.echo(f"{plain(event_id)}: {outcome.state}")
        return False
    kept = "" if outcome.state in ("failed", "parked") else ", and nothing was changed"
    click.echo(f"{plain(event_id)}: {outcome.state}{kept}: {plain(outcome.error)}", err=True)
    return True


def _not_retried(event_id: str) -> bool:
    state = inbox.states(db.session(), [event_id]).get(event_id)
    if state is None:
        click.echo(_unknown(event_id), err=True)
    else:
        again = "flask webhooks replay runs its effect once more"
        click.echo(f"{event_id} is {state}: there is nothing to try again; {again}", err=True)
    return True


def _unsettled_ids() -> Iterator[str]:
    """Ids of all failed and parked events, a page at a time; each once, whatever comes of it."""
    after: tuple[datetime, str] | None = None
    while page := inbox.unsettled(db.session(), BATCH, after):
        end_reading()
        yield from (event_id for _, event_id in page)
        after = page[-1]


def _unknown(event_id: str) -> str:
    return f"{plain(event_id)}: no such event here; flask webhooks replay fetches it from Stripe"


def _line(event: StripeEvent) -> str:
    told: list[str] = [event.state]
    if event.state in ("failed", "parked") or event.attempts > 1:
        told.append(f"attempt {event.attempts}")
    if event.next_try_at is not None:
        told.append(f"next try {minute(event.next_try_at)}")
    error = f": {plain(event.last_error)[:200]}" if event.last_error else ""
    return f"{minute(event.received_at)}  {event.id}  {event.type}  {', '.join(told)}{error}"


def _facts(event: StripeEvent) -> dict[str, Any]:
    return _times({name: getattr(event, name) for name in FIELDS})


def _times(values: dict[str, Any]) -> dict[str, Any]:
    """Times as text, for JSON."""
    moments = {name: it.isoformat() for name, it in values.items() if isinstance(it, datetime)}
    return values | moments
