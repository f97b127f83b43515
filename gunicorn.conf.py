"""How the web process runs. Every open socket holds a thread, so sockets are capped well below the threads."""

import os

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
worker_class = "gthread"
threads = int(os.environ.get("GREENROOM_SOCKETS") or 200) + 40
worker_connections = threads + 760  # more than the threads: the rest are lines kept open between two requests
timeout = 120
graceful_timeout = 3
keepalive = 20
control_socket_disable = True
accesslog = None
