"""A process with everything loaded, from which the shop's processes are forked: they are the same
programs, and start in a quarter of the time.

As a program: it reads a line of JSON for each process to start ({"program", "arguments",
"environment", "clock", "log"}) and answers with its pid. When whoever speaks to it is gone, it
kills all that it has started, and ends.
"""

import faulthandler
import importlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from tests.faults import clocks

LOADED = (
    "alembic.command", "argon2", "email_validator", "flask_bootstrap", "flask_login",
    "flask_mailman", "flask_migrate", "flask_sqlalchemy", "flask_wtf", "gunicorn.app.wsgiapp",
    "gunicorn.workers.gthread", "logging.config", "psycopg", "requests", "smtplib",
    "sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite", "stripe",
    "stripe._stripe_client", "stripe._v1_services", "stripe._webhook", "wtforms",
)  # fmt: skip
"""Nothing of the shop's own but what clocks need; and not prometheus_client, which looks at the
environment when it is loaded."""


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for what was started
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who speaks to us
    clocks.install()
    for name in LOADED:
        importlib.import_module(name)
    print("ready", flush=True)
    started = [_start(json.loads(line)) for line in sys.stdin]
    for pid in started:
        _kill_group(pid)


def _start(wanted: dict[str, Any]) -> int:
    pid = os.fork()
    if pid == 0:
        _become(wanted)
    print(pid, flush=True)
    return pid


def _become(wanted: dict[str, Any]) -> NoReturn:
    """The program, in a session of its own, as if a shell had started it."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    log = os.open(wanted["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.environ.clear()
    os.environ.update(wanted["environment"])
    clocks.follow(Path(wanted["clock"]))
    sys.argv = [wanted["program"], *wanted["arguments"]]
    if wanted["program"] == "gunicorn":
        from gunicorn.app.wsgiapp import run
    else:
        from flask.cli import main as run

        faulthandler.register(signal.SIGUSR1)  # it says where it stands
    run()
    sys.exit()


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    main()
