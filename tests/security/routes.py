"""Every route there is, read off the URL map, and every field that a view reads, off its source:
what comes later is attacked, too."""

import inspect
import re
import sys
from collections.abc import Iterator

from flask import Flask
from werkzeug.routing import Rule

from tests.support import books
from tests.support.money_back import a_paid_top_up

ENDS_THE_SESSION = {"auth.logout", "auth.sign_out_everywhere"}
"""Left out where the attacker wants to stay signed in."""

READ = re.compile(r'(?:args|form|sent)(?:\.get\(|\[)"(\w+)"')


def paths(app: Flask, method: str, **ids: str) -> Iterator[tuple[str, str]]:
    """Endpoint and address of each route for a method, files aside; an argument of the address is
    what `ids` says of it, or x."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if rule.endpoint.endswith("static") or rule.endpoint in ENDS_THE_SESSION:
            continue
        if method in (rule.methods or ()):
            yield rule.endpoint, adapter.build(rule.endpoint, _values(rule, ids))


def _values(rule: Rule, ids: dict[str, str]) -> dict[str, str]:
    return {name: ids.get(name, "x") for name in rule.arguments}


def fields(app: Flask, endpoint: str) -> list[str]:
    """What this view, and its neighbours in the file, look for in an address or a form; and what
    all lists do."""
    source = inspect.getsource(sys.modules[app.view_functions[endpoint].__module__])
    return sorted({*READ.findall(source), "q", "after", "next"})


def its_ids(app: Flask) -> dict[str, str]:
    """Ids that are there, so that a view gets as far as looking at the rest."""
    bought = a_paid_top_up(app)
    event = next(iter(books.read(app).events))
    return {
        "user_id": bought.customer.id, "payment_id": bought.id, "subject": bought.id,
        "event_id": event,
    }  # fmt: skip
