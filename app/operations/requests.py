"""Counts, times and logs every request by the template of its route: no id and no name is ever a label, and what was searched
for stands in no log.
"""

import time

import structlog
from flask import Flask, Response, g, request

from app import measured

log = structlog.get_logger()
UNTOLD = ("static", "operations.healthz", "operations.readyz", "operations.show_metrics")  # asked again and again
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def init_app(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_count)


def _begin() -> None:
    g.began_at = time.perf_counter()


def _count(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule else "no route"
    method = request.method if request.method in METHODS else "other"
    measured.requests.labels(route, method, str(response.status_code)).inc()
    seconds = time.perf_counter() - g.get("began_at", time.perf_counter())
    measured.request_seconds.labels(route, method).observe(seconds)
    if request.endpoint not in UNTOLD:
        log.info("answered", route=route, method=method, status=response.status_code, seconds=round(seconds, 4))
    return response
