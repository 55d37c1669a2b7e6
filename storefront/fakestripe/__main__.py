"""`python -m storefront.fakestripe serve|prepare`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .prepare import prepare
from .serve import run
from .settings import Settings

DEFAULT_DATABASE = Path("instance/fakestripe.sqlite")


def main(arguments: list[str]) -> int:
    """Run one command and return the exit code."""
    options = _parser().parse_args(arguments)
    settings = Settings(options.database, options.host, options.port, options.public_url)
    if options.command == "serve":
        return run(settings)
    for name, value in prepare(settings, options.webhook_url).items():
        print(f"{name}={value}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fakestripe", description="A stand-in for Stripe. No money moves."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="answer on the loopback interface until stopped")
    prepare = commands.add_parser("prepare", help="print the shop's settings as KEY=value lines")
    prepare.add_argument("--webhook-url", required=True, help="where the shop takes its events")
    for command in (serve, prepare):
        command.add_argument("--port", type=int, default=12111, help="0 means any free port")
        command.add_argument("--host", default="127.0.0.1", help="a loopback address")
        command.add_argument("--database", type=Path, default=DEFAULT_DATABASE)
        command.add_argument("--public-url", default="", help="how browsers reach it")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
