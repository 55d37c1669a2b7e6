"""Serves the stand-in on the loopback interface until it is told to stop."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import FrameType

from werkzeug.serving import BaseWSGIServer

from . import create_fakestripe, http_server
from .account import EXTENSION, Account
from .settings import LOOPBACK_HOSTS, Settings
from .ticker import Ticker

_LIVE_PREFIXES = ("sk_live_", "rk_live_", "pk_live_")
_KEY_VARIABLES = ("STRIPE_SECRET_KEY", "STRIPE_PUBLISHABLE_KEY")


class RefusedToStart(Exception):
    """The stand-in must not or cannot run here; the text says why in one line."""


def serve(
    settings: Settings,
    on_ready: Callable[[Settings], None] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Run until SIGTERM or SIGINT, then stop within a second.

    `on_ready` is called with the settings in which port 0 became a real port. Raise
    RefusedToStart in production, next to a live key, beyond loopback, or for a port in use.
    """
    check_environment(environ)
    listener = listen(settings)
    actual = replace(settings, port=listener.getsockname()[1])
    app = create_fakestripe(actual)
    account: Account = app.extensions[EXTENSION]
    server = http_server.make(app, listener)
    ticker = Ticker(account)
    account.deliverer.start()
    ticker.start()
    _stop_on_signals(server)
    try:
        if on_ready is not None:
            on_ready(actual)
        server.serve_forever(poll_interval=0.05)
    finally:
        server.server_close()
        ticker.stop()
        account.deliverer.stop()


def check_environment(environ: Mapping[str, str]) -> None:
    """Raise RefusedToStart where a stand-in could be taken for the real Stripe."""
    if environ.get("STOREFRONT_ENV", "").strip().lower() == "production":
        raise RefusedToStart("fakestripe never starts with STOREFRONT_ENV=production.")
    for name in _KEY_VARIABLES:
        if environ.get(name, "").strip().startswith(_LIVE_PREFIXES):
            raise RefusedToStart(
                f"{name} holds a live key: fakestripe is a stand-in and never runs next to one."
            )


def listen(settings: Settings) -> socket.socket:
    """Bind the loopback port; raise RefusedToStart for another host or a port in use."""
    if settings.host not in LOOPBACK_HOSTS:
        raise RefusedToStart(
            f"fakestripe listens on loopback only, not on {settings.host}; use 127.0.0.1."
        )
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise RefusedToStart(
            f"Port {settings.port} on {settings.host} cannot be used ({error.strerror});"
            " choose another with FAKESTRIPE_PORT."
        ) from None
    return listener


def _stop_on_signals(server: BaseWSGIServer) -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        # shutdown() waits for serve_forever, which runs in this very thread.
        threading.Thread(target=server.shutdown, daemon=True).start()

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)


def run(settings: Settings) -> int:
    """Serve, print one line where it can be reached, and return the process's exit code."""

    def ready(actual: Settings) -> None:
        print(f"fakestripe is ready at {actual.url()}", flush=True)  # noqa: T201  the promise

    try:
        serve(settings, ready)
    except RefusedToStart as refusal:
        print(refusal, file=sys.stderr)  # noqa: T201
        return 1
    return 0
