"""`flask doctor`: what is wrong, and what mends it."""

import json
import sys

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from storefront import doctor, handlers
from storefront.cli_catalog import colour
from storefront.doctor import EXIT_CODES, Finding, Named, Visit
from storefront.errors import ConfigError
from storefront.web import current, health, policies

WORDS = {"ok": "OK", "warning": "warning", "failure": "failure"}
COLOURS = {"ok": "green", "warning": "yellow", "failure": "red"}
WIDTH = max(map(len, WORDS.values()))


def doctor_app(error: ConfigError) -> Flask:
    """An app with this command alone, for a shop whose settings cannot be used."""

    @click.command("doctor")
    @click.option("--live", is_flag=True)
    @click.option("--json", "as_json", is_flag=True)
    def command(live: bool, as_json: bool) -> None:
        """Say what is wrong with the settings."""
        finding = doctor.failure(error.detail, "correct .env (.env.example explains each setting)")
        named = Named("settings", finding)
        if not as_json:
            _tell(named)
        _report([named], as_json)

    app = Flask(__name__)
    app.cli.add_command(command)
    return app


@click.command("doctor")
@click.option("--live", is_flag=True, help="With the going-live list.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
@with_appcontext
def doctor_command(live: bool, as_json: bool) -> None:
    """Check everything between Stripe and the books; exit 1 on warnings, 2 on failures."""
    _report(_told(a_visit(live), as_json), as_json)


def a_visit(live: bool) -> Visit:
    settings, context = current.settings(), current.work_context()
    return Visit(
        config=settings,
        catalog=context.catalog,
        gateway=context.gateway,
        mailer=context.mailer,
        event_types=tuple(handlers.HANDLERS),
        flask=current_app.config,
        policy=policies.content_security_policy(settings, None, pays=True),
        revisions=health.migration_state,
        live=live,
    )


def _told(visit: Visit, as_json: bool) -> list[Named]:
    """Each finding as a line, as soon as it is there."""
    findings = []
    for each in doctor.examine(visit):
        findings.append(each)
        if not as_json:
            _tell(each)
    return findings


def _tell(each: Named) -> None:
    finding = each.finding
    word = click.style(WORDS[finding.severity].ljust(WIDTH), fg=COLOURS[finding.severity])
    click.echo(f"{word}  {each.check}: {finding.found}{_mend(finding)}", color=colour())


def _mend(finding: Finding) -> str:
    return f" → {finding.mend}" if finding.mend else ""


def _report(findings: list[Named], as_json: bool) -> None:
    severity = doctor.worst(findings)
    counts = [sum(each.finding.severity == it for each in findings) for it in EXIT_CODES]
    if as_json:
        checks = [{"check": each.check} | vars(each.finding) for each in findings]
        click.echo(json.dumps({"severity": severity, "checks": checks}, indent=2))
    else:
        click.echo("OK: {}, warnings: {}, failures: {}".format(*counts))
    sys.exit(EXIT_CODES[severity])
