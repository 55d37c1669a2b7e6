"""Imports point one way. This table is docs/architecture.md's picture, held by a test."""

import ast
import re

from storefront.config import ROOT
from tests.rules.sources import Source, all_sources, held_by_all

MAY_IMPORT: dict[str, str] = {
    "errors": "",
    "ids": "",
    "money": "",
    "config": "errors",
    "db": "",
    "observing": "errors",
    "ledger": "db errors",
    "jobs": "db observing",
    "catalog": "errors money",
    "attempts": "db errors",
    "stripe_gateway": "config db errors observing",
    "users": "db errors ids stripe_gateway",
    "payments": "catalog db errors ids jobs ledger stripe_gateway users",
    "subscriptions": "catalog db errors ids jobs ledger observing prices stripe_gateway users",
    "checkouts": "catalog config db errors ids jobs ledger payments prices stripe_gateway"
    " subscriptions users",
    "reversals": "catalog checkouts config db errors jobs ledger money payments stripe_gateway"
    " subscriptions users",
    "money_back": "inbox jobs observing reversals stripe_gateway users",
    "auditing": "db",
    "rehearsal": "db",
    "refunding": "auditing db errors ids jobs ledger money payments rehearsal reversals"
    " stripe_gateway subscriptions",
    "reconciling": "catalog checkouts db errors ids ledger payments prices reversals stripe_gateway"
    " subscriptions users",
    "sessions": "db ledger users",
    "entitlements": "catalog checkouts db payments subscriptions users",
    "sweeping": "checkouts db errors payments stripe_gateway",
    "inbox": "db errors ids stripe_gateway",
    "statements": "db ledger money payments",
    "prices": "catalog db errors money stripe_gateway",
    "provisioning": "catalog config db errors money portal prices stripe_gateway",
    "mail": "config",
    "analytics": "config money",
    "work": "admin analytics catalog catching_up checkouts config db errors inbox jobs ledger mail"
    " money observing payments prices reconciling redelivery refunding reversals sessions"
    " stripe_gateway subscriptions sweeping users",
    "redelivery": "db handlers inbox observing stripe_gateway",
    "catching_up": "db errors handlers ids inbox redelivery stripe_gateway",
    "tables": "admin attempts auditing catching_up checkouts inbox jobs ledger payments prices"
    " reconciling refunding reversals sessions subscriptions users",
    "card_testing": "attempts db errors inbox jobs payments",
    "handlers": "card_testing checkouts db errors inbox jobs ledger money_back observing payments"
    " stripe_gateway subscriptions users",
    "portal": "catalog config db errors prices stripe_gateway subscriptions users",
    "overview": "checkouts ledger payments subscriptions",
    "reports": "db ledger",
    "admin": "auditing checkouts db errors handlers ids inbox jobs ledger money payments prices"
    " refunding rehearsal reversals statements stripe_gateway subscriptions users",
    "web": "admin attempts auditing card_testing catalog catching_up checkouts config db"
    " entitlements errors explaining handlers inbox jobs ledger mail money observing overview"
    " payments portal prices reconciling redelivery refunding reports reversals sessions"
    " statements stripe_gateway subscriptions users work",
    "explaining": "db inbox ledger payments subscriptions",
    "cli": "cli_catalog cli_copying cli_doctor cli_jobs cli_ledger cli_payments cli_reconcile"
    " cli_users cli_webhooks config fakestripe jobs observing web work",
    "cli_copying": "config copying db errors",
    "copying": "db errors jobs ledger",
    "cli_users": "admin auditing errors users web",
    "doctor": "catalog config db errors inbox jobs mail payments prices provisioning reconciling"
    " stripe_gateway users work",
    "cli_doctor": "cli_catalog doctor errors handlers web",
    "cli_catalog": "config errors handlers provisioning stripe_gateway web",
    "cli_ledger": "db errors explaining ledger money users",
    "cli_jobs": "cli_values db jobs work",
    "cli_payments": "cli_values errors stripe_gateway sweeping web",
    "cli_values": "db",
    "cli_reconcile": "cli_values db errors money reconciling stripe_gateway web",
    "cli_webhooks": "catching_up cli_values db errors inbox redelivery stripe_gateway web",
    "fakestripe": "",
    "__init__": "catalog cli config db mail observing sessions stripe_gateway tables web",
}
"""Room -> the rooms of ours that it may import from, besides itself. A new room gets a line here,
and thinks about its place in the picture."""

ARCHITECTURE = ROOT / "docs/architecture.md"
STRIPE = {"stripe_gateway", "fakestripe"}
NETWORK = {"stripe_gateway", "mail", "analytics", "doctor"}
CALLS_OUT = {"requests", "urllib3", "httpx", "socket", "smtplib", "http.client", "urllib.request"}
FLASK = {
    "__init__", "web", "cli", "cli_catalog", "cli_copying", "cli_doctor", "cli_jobs", "cli_ledger",
    "cli_payments", "cli_reconcile", "cli_users", "cli_webhooks", "fakestripe",
}  # fmt: skip
FLASK_PACKAGES = {"flask", "flask_login", "flask_wtf", "wtforms", "werkzeug", "jinja2"}
STRIPE_CLIENT = {"StripeClient", "RequestsClient", "HTTPClient", "Webhook", "WebhookSignature"}


def rooms_imported(source: Source) -> set[str]:
    """The rooms of ours that a file imports; `from storefront import x` names the room x."""
    found = set()
    for name in source.imports():
        head, *rest = name.split(".")
        if head == "storefront":
            found.add(rest[0] if rest else "__init__")
    return {"__init__" if room == "create_app" else room for room in found} - {source.noun}


@held_by_all
def test_a_room_imports_only_what_the_table_allows(source: Source) -> None:
    assert source.noun in MAY_IMPORT, f"{source.noun} has no line in the table of imports"
    assert rooms_imported(source) <= set(MAY_IMPORT[source.noun].split())


def test_the_table_has_no_circle_and_nothing_that_is_not_there() -> None:
    """Leaf by leaf, everything can be taken away."""
    left = {room: set(allowed.split()) for room, allowed in MAY_IMPORT.items()}
    assert set(left) == {source.noun for source in all_sources()}
    while left:
        leaves = {room for room, allowed in left.items() if not allowed & set(left)}
        assert leaves, f"a circle among {sorted(left)}"
        left = {room: allowed for room, allowed in left.items() if room not in leaves}


def test_the_picture_in_the_documents_is_the_table() -> None:
    """Each room stands in it once, and imports from its own line or below."""
    block = re.search(r"```\n(starts .*?)```", ARCHITECTURE.read_text(), re.DOTALL)
    assert block
    lines = re.sub(r"\n {2,}", " ", block[1]).splitlines()
    height = {
        room: number
        for number, line in enumerate(lines)
        for room in line[len("operates  ") :].split()
    }
    assert set(height) == set(MAY_IMPORT)
    assert sum(len(line[len("operates  ") :].split()) for line in lines) == len(MAY_IMPORT)
    upwards = {
        (room, other)
        for room, allowed in MAY_IMPORT.items()
        for other in allowed.split()
        if height[other] < height[room]
    }
    assert upwards == set()
    apart = {room for room in MAY_IMPORT if height[room] == height["fakestripe"]}
    assert apart == {"fakestripe"}


def test_the_table_allows_nothing_that_nobody_needs() -> None:
    used: dict[str, set[str]] = {room: set() for room in MAY_IMPORT}
    for source in all_sources():
        used[source.noun] |= rooms_imported(source)
    unneeded = {room: set(MAY_IMPORT[room].split()) - used[room] for room in MAY_IMPORT}
    assert not {room: names for room, names in unneeded.items() if names}


@held_by_all
def test_stripe_is_imported_in_the_gateway_alone(source: Source) -> None:
    """fakestripe takes types from the SDK, never its client."""
    names = [name for name in source.imports() if name.split(".")[0] == "stripe"]
    assert not names or source.noun in STRIPE
    if source.noun == "fakestripe":
        assert not [name for name in names if name.rsplit(".", 1)[-1] in STRIPE_CLIENT]


@held_by_all
def test_the_network_has_few_doors(source: Source) -> None:
    """Whoever calls out waits, and has a time-out; fakestripe is a program of its own."""
    roots = {name.split(".")[0] for name in source.imports()}
    names = roots | {".".join(name.split(".")[:2]) for name in source.imports()}
    assert source.noun in NETWORK | {"fakestripe"} or not names & CALLS_OUT


@held_by_all
def test_the_web_framework_stays_in_the_web(source: Source) -> None:
    names = {name.split(".")[0] for name in source.imports()} & FLASK_PACKAGES
    assert not names or source.noun in FLASK


@held_by_all
def test_nothing_asks_whether_it_is_being_tested(source: Source) -> None:
    """No `if testing`, no mock, no pytest in the shop."""
    roots = {name.split(".")[0] for name in source.imports()}
    assert not roots & {"pytest", "hypothesis", "unittest", "tests", "mock"}
    constants = [node.value for node in ast.walk(source.tree) if isinstance(node, ast.Constant)]
    assert not {"TESTING", "PYTEST_CURRENT_TEST"} & {it for it in constants if isinstance(it, str)}
    attributes = {node.attr for node in ast.walk(source.tree) if isinstance(node, ast.Attribute)}
    assert "testing" not in attributes
