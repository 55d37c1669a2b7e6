"""How gunicorn serves the shop, in development and in production. Each line has a reason;
figures are in docs/decisions."""

import os

from storefront.config import ROOT, read_files

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
keepalive = 30

# %(U)s is the path without the query, which may hold a client secret of Stripe's.
accesslog = "-"
access_log_format = "%(h)s %(m)s %(U)s %(s)s %(B)s bytes %(M)s ms"
