"""How gunicorn serves the product: `gunicorn --config python:retention.gunicorn retention.wsgi`."""

from retention.common import environment as env

bind = f"{env.text('BIND', '127.0.0.1')}:{env.number('PORT', 8000)}"
worker_class = "gthread"
workers = env.number("WEB_WORKERS", 2)
threads = 4
# The workers share the memory of what is loaded, and start in an instant.
preload_app = True
# A request that takes longer is a mistake: long work runs in a worker.
timeout = 60
graceful_timeout = 15
max_requests = 10_000
max_requests_jitter = 1_000
loglevel = "warning"
control_socket_disable = True
