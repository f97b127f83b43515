import hmac

from flask import Blueprint, Response, current_app, jsonify, render_template, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from app.accounts.guard import account, open_to_all
from app.conversations import restarts
from app.errors import Forbidden
from app.operations import health, metrics

bp = Blueprint("operations", __name__)


@bp.get("/healthz")
@open_to_all
def healthz() -> Response:
    return jsonify(status="alive")


@bp.get("/readyz")
@open_to_all
def readyz() -> tuple[Response, int]:
    found = health.readiness()
    return jsonify(found), 200 if all(found.values()) else 503


@bp.get("/metrics")
@open_to_all
def show_metrics() -> Response:
    if not (_is_loopback() or _has_token()):
        raise Forbidden("Metrics need the token, or the machine itself.")
    return Response(generate_latest(metrics.registry()), content_type=CONTENT_TYPE_LATEST)


@bp.get("/system")
def system() -> str:
    return render_template(
        "operations/system.html",
        overview=health.overview(account.id),
        senders=restarts.running_senders(),
        ended=restarts.ended_senders(account.id),
    )


def _is_loopback() -> bool:
    return request.remote_addr in ("127.0.0.1", "::1") and "X-Forwarded-For" not in request.headers


def _has_token() -> bool:
    wanted = current_app.config["METRICS_TOKEN"]
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return bool(wanted) and hmac.compare_digest(wanted.encode(), given.encode())
