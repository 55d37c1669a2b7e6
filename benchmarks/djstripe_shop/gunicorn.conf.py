"""The same server with the same settings as the shop's, without what is only the shop's."""

import os
from pathlib import Path

worker_class = "gthread"
workers = 2
threads = 8
reuse_port = True
keepalive = 30
control_socket_disable = True
bind = f"127.0.0.1:{os.environ['PORT']}"
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
