"""The shop's own statement, driven by pgbench: what PostgreSQL does when nobody is in front of it.

The statement is not copied from the code. The shop credits one event while PostgreSQL logs what it
is sent; that text, with the event's ids replaced by a counter, is pgbench's script.
"""

import re
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from typing import Any

import psycopg

from benchmarks import events
from benchmarks.frame import Bench, Served
from benchmarks.load import CONNECTIONS, THREADS, Load, LoadFailed
from benchmarks.payments import open_payments
from benchmarks.servers import Postgresql

WARM = ("probe_0", "probe_1", "probe_2")
PROBE = "probe_3"
BEGIN, END = "SELECT 'the probe begins'", "SELECT 'the probe ends'"
PREFIX = "BENCH "
ENTRY = re.compile(r"^BENCH LOG:  (?:execute [^:]+|statement): (.*)\Z", re.DOTALL)
DETAIL = re.compile(r"^BENCH DETAIL:  [Pp]arameters: (.*)\Z", re.DOTALL)
PARAMETER = re.compile(r"\$(\d+) = (NULL|'(?:[^']|'')*')", re.DOTALL)
PROBED = len(WARM) + 1
TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Script:
    """A pgbench script, and the values of its variables that are the same for all transactions."""

    text: str
    variables: dict[str, str]
    statements: int


def recorded(bench: Bench, url: str) -> Script:
    """What the shop sends to PostgreSQL for one event. It credits PROBED payments of `url`."""
    server, name = bench.postgresql_server, _database(url)
    server.execute(f"ALTER DATABASE {name} SET log_statement = 'all'")
    server.execute(f"ALTER SYSTEM SET log_line_prefix = '{PREFIX}'")
    server.execute("SELECT pg_reload_conf()")
    open_payments(url, (*WARM, PROBE))
    with bench.shop(url, WEB_CONCURRENCY="1") as shop:
        for key in WARM:
            _deliver(shop, key)
        entries = _between_marks(server, url, lambda: _deliver(shop, PROBE))
    server.execute(f"ALTER DATABASE {name} RESET log_statement")
    return _script(url, entries)


def run(bench: Bench, url: str, script: Script, prefix: str, events_each: int) -> Load:
    """Have each of 16 clients credit so many open payments `<prefix>_<n>`, n from 0."""
    folder = bench.folder / f"pgbench_{prefix}"
    folder.mkdir()
    file = folder / "script.sql"
    file.write_text(script.text)
    variables = {**script.variables, "prefix": prefix, "i": "-1"}
    command = [str(bench.postgresql_bin / "pgbench"), "--no-vacuum", "--protocol=prepared"]
    command += [f"--client={CONNECTIONS}", f"--jobs={THREADS}", f"--transactions={events_each}"]
    command += ["--log", f"--log-prefix={folder}/log", f"--file={file}"]
    command += [f"--define={name}={value}" for name, value in variables.items()]
    done = subprocess.run(
        [*command, url], capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
    )
    rate = re.search(r"tps = ([0-9.]+) \(without", done.stdout)
    if done.returncode or not rate:
        raise LoadFailed(f"pgbench failed:\n{done.stdout}{done.stderr[-2000:]}")
    took = sorted(
        int(line.split()[2]) / 1000
        for path in folder.glob("log.*")
        for line in path.read_text().splitlines()
    )
    p50, p99 = (took[int(len(took) * share)] for share in (0.5, 0.99))
    return Load(float(rate[1]), p50, p99, len(took))


def _deliver(shop: Served, key: str) -> None:
    now = int(time.time())
    body = events.body(key, key, now)
    request = urllib.request.Request(  # noqa: S310  loopback
        f"{shop.url}/stripe/webhook",
        body.encode(),
        {"Stripe-Signature": events.signature(body, now), "Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=30).close()  # noqa: S310


def _between_marks(server: Postgresql, url: str, act: Any) -> list[tuple[str, dict[int, str]]]:
    """Statements with their parameters that PostgreSQL logged while `act` ran."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(BEGIN.encode())
        act()
        connection.execute(END.encode())
    log = server.log.read_text()
    lines = log[log.rindex(BEGIN) + len(BEGIN) : log.rindex(END)]
    found: list[tuple[str, dict[int, str]]] = []
    for entry in re.split(r"\n(?!\t)", lines):
        if match := ENTRY.match(entry):
            found.append((match[1].replace("\n\t", "\n"), {}))
        elif match := DETAIL.match(entry):
            values = PARAMETER.findall(match[1].replace("\n\t", "\n"))
            found[-1][1].update({int(n): it for n, it in values})
    return [entry for entry in found if entry[0].strip()]


def _script(url: str, entries: list[tuple[str, dict[int, str]]]) -> Script:
    """`:k` is the key of the transaction's own payment."""
    lines = [r"\set i :i + 1", rf"\set n :i * {CONNECTIONS} + :client_id"]
    variables: dict[str, str] = {}
    for number, (statement, values) in enumerate(entries):
        types = _types(url, statement) if values else []
        for place in sorted(values, reverse=True):  # $12 before $1
            replacement = _replacement(f"v{number}_{place}", values[place], variables)
            typed = f"CAST({replacement} AS {types[place - 1]})"
            statement = re.sub(rf"\${place}(?!\d)", lambda _, to=typed: to, statement)
        # pgbench takes a statement for ended at the end of a line with a semicolon only.
        lines.append(statement.strip().rstrip(";") + ";")
    return Script("\n".join(lines) + "\n", variables, len(entries))


def _replacement(name: str, literal: str, variables: dict[str, str]) -> str:
    """A parameter's value as pgbench writes it: made of the key where it is an id, else a variable,
    which goes over the wire as it did."""
    if literal == "NULL":
        return "NULL"
    value = literal[1:-1].replace("''", "'")
    if PROBE in value and len(value) < 100:
        before, after = value.split(PROBE, 1)
        return f"('{before}' || :prefix || '_' || :n || '{after}')"
    variables[name] = value
    return f":{name}"


def _types(url: str, statement: str) -> list[str]:
    """The types of its parameters, as PostgreSQL infers them."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"PREPARE probed AS {statement}".encode())
        row = connection.execute(
            "SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = 'probed'"
        ).fetchone()
    assert row is not None
    types: list[str] = row[0]
    return types


def _database(url: str) -> str:
    return url.split("/")[3].split("?")[0]
