"""How gunicorn serves the shop, in development and in production. Each line has a reason;
figures are in docs/decisions."""

import logging.config
import os
import shutil
import socket
import struct
import tempfile
from pathlib import Path

from gunicorn.glogging import Logger

from storefront.config import ROOT, read_files
from storefront.observing.lines import configuration

_settings = read_files(dict(os.environ), ROOT)
_sqlite = not _settings.get("DATABASE_URL", "sqlite").startswith("postgres")

bind = _settings.get("BIND", f"127.0.0.1:{_settings.get('PORT', '8000')}")

# Threads wait for Stripe and the database; one slow answer must not hold up a webhook.
worker_class = "gthread"
threads = 8

# SQLite: one process, so that its writers queue behind one lock instead of sleeping and retrying.
workers = 1 if _sqlite else int(_settings.get("WEB_CONCURRENCY", "2"))

# Without it, now and then one worker takes all keep-alive connections and throughput halves.
reuse_port = workers > 1

# It would let whoever reaches the socket add and remove workers; nothing here uses it.
control_socket_disable = True

# Answers take milliseconds; a worker that is silent for so long is stuck.
timeout = 60
graceful_timeout = 20

# Longer than a proxy's pause between two requests, so that it does not open a connection for each.
keepalive = 30

# Who falls silent in the middle of a request is let go. gunicorn's threads would wait for ever, and
# eight such callers would stop the shop; a proxy that takes in whole requests lets none through.
SILENCE_SECONDS = 20

# Where workers prove that they live. In memory if there is such a folder: on a slow disk, or in a
# container's layers, the proof itself can take so long that a healthy worker is killed.
MEMORY = Path("/dev/shm")  # noqa: S108  gunicorn makes a file there that nobody can name
worker_tmp_dir = str(MEMORY) if MEMORY.is_dir() else None

# The shop writes a line for each request itself (storefront/web/observed.py), with its id and what
# it was about, and without the query, which may hold a client secret of Stripe's.
accesslog = None


class Lines(Logger):
    """gunicorn's own messages, and the shop's, in the shop's lines. (With `logconfig_dict` gunicorn
    would put together its access log as well, for nobody.)"""

    def setup(self, cfg):
        super().setup(cfg)
        production = _settings.get("STOREFRONT_ENV") == "production"
        format = _settings.get("LOG_FORMAT", "json" if production else "text")
        level = _settings.get("LOG_LEVEL", "info")
        known = level if level in ("debug", "info", "warning", "error") else "info"
        logging.config.dictConfig(configuration(format, known))  # the shop refuses other values


logger_class = Lines

# Where the processes count for Prometheus. A folder of this start's own, empty: counts of an
# earlier one would be added to these, and another gunicorn's are none of ours.
METRICS = "PROMETHEUS_MULTIPROC_DIR"


def on_starting(server):
    # Before a worker process loads prometheus_client, which looks there.
    os.environ[METRICS] = server.metrics = tempfile.mkdtemp(prefix="storefront-metrics-")


def when_ready(server):
    patience = struct.pack("@ll", SILENCE_SECONDS, 0)  # a timeval
    for listener in server.LISTENERS:
        for direction in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            listener.setsockopt(socket.SOL_SOCKET, direction, patience)  # each connection inherits


def child_exit(server, worker):
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)


def on_exit(server):
    shutil.rmtree(server.metrics, ignore_errors=True)
