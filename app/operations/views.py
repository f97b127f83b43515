import hmac
from collections.abc import Callable

from flask import Blueprint, Response, current_app, flash, jsonify, redirect, render_template, request, url_for
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis import RedisError
from werkzeug.wrappers import Response as WebResponse

from app import background
from app.accounts.guard import account, open_to_all
from app.errors import Forbidden
from app.operations import health, metrics, standing

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
    told = b"".join(generate_latest(each) for each in metrics.registries())
    return Response(told, content_type=CONTENT_TYPE_LATEST)


@bp.get("/system")
def system() -> str:
    return render_template("operations/system.html", **standing.everything(account.id))


@bp.post("/system/jobs/retry")
def retry_job() -> WebResponse:
    return _with_job(background.retry_job, "The job is in line again.")


@bp.post("/system/jobs/discard")
def discard_job() -> WebResponse:
    return _with_job(background.discard_job, "The failed job was forgotten.")


def _with_job(deed: Callable[[str], bool], said: str) -> WebResponse:
    try:
        flash(said if deed(request.form.get("job", "")) else "This job is no longer there.")
    except RedisError:
        flash("Redis does not answer: try again in a minute.")
    return redirect(url_for("operations.system"))


def _is_loopback() -> bool:
    return request.remote_addr in ("127.0.0.1", "::1") and "X-Forwarded-For" not in request.headers


def _has_token() -> bool:
    wanted = current_app.config["METRICS_TOKEN"]
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return bool(wanted) and hmac.compare_digest(wanted.encode(), given.encode())
