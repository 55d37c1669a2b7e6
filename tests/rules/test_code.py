"""Rules about how the shop's code is written."""

import ast
from collections.abc import Iterator

from tests.rules.sources import Source, held_by_all, held_in

MAXIMUM_FILE_LINES = 350
"""About 300 is the aim; what outgrows it becomes a package of the same name."""

MAXIMUM_FUNCTION_LINES = 60
MONEY = {
    "ledger",
    "payments",
    "checkouts",
    "subscriptions",
    "catalog",
    "money",
    "users",
    "inbox",
    "handlers",
    "statements",
    "reversals",
    "money_back",
    "refunding",
    "admin",
    "sweeping",
}
CATALOG_READS_JSON = {"_price_from_json"}
"""The one function that must know floats: JSON has no other numbers with a point."""


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@held_in(MONEY)
def test_no_float_comes_near_money(source: Source) -> None:
    excused = {
        id(inner)
        for function in functions(source.tree)
        if function.name in CATALOG_READS_JSON
        for inner in ast.walk(function)
    }
    found = [
        node.lineno
        for node in ast.walk(source.tree)
        if id(node) not in excused and (_is_float(node) or _is_division(node))
    ]
    assert found == [], f"floats in {source.name}, lines {found}"


def _is_float(node: ast.AST) -> bool:
    literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
    return literal or (isinstance(node, ast.Name) and node.id == "float")


def _is_division(node: ast.AST) -> bool:
    """`/` makes a float of two integers; the one in money.py divides a Decimal."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)):
        return False
    left = node.left
    return not (isinstance(left, ast.Call) and getattr(left.func, "id", "") == "Decimal")


@held_in(MONEY)
def test_no_amount_is_rounded(source: Source) -> None:
    names = {node.id for node in ast.walk(source.tree) if isinstance(node, ast.Name)}
    assert "round" not in names


@held_by_all
def test_a_file_is_one_sitting(source: Source) -> None:
    lines = len(source.path.read_text().splitlines())
    assert lines <= MAXIMUM_FILE_LINES, f"{source.name} has {lines} lines: make it a package"


@held_by_all
def test_a_function_is_one_screen(source: Source) -> None:
    long = {
        function.name: function.end_lineno - function.lineno + 1
        for function in functions(source.tree)
        if function.end_lineno is not None
        and function.end_lineno - function.lineno >= MAXIMUM_FUNCTION_LINES
    }
    assert long == {}


@held_by_all
def test_a_file_says_what_it_is(source: Source) -> None:
    if source.path.stat().st_size:
        assert ast.get_docstring(source.tree), f"{source.name} has no docstring"


@held_by_all
def test_time_is_utc(source: Source) -> None:
    """datetime.utcnow() and a bare now() make times without a zone."""
    calls = [node.func for node in ast.walk(source.tree) if isinstance(node, ast.Call)]
    names = {call.attr for call in calls if isinstance(call, ast.Attribute)}
    assert "utcfromtimestamp" not in names
    assert "today" not in names


@held_by_all
def test_nothing_commits_but_the_one_who_knows_the_whole_story(source: Source) -> None:
    """transaction() commits; who writes uses it. fakestripe has a store of its own."""
    if source.noun in ("db", "fakestripe"):
        return
    calls = [node.func for node in ast.walk(source.tree) if isinstance(node, ast.Call)]
    assert "commit" not in {call.attr for call in calls if isinstance(call, ast.Attribute)}
