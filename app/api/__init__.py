"""The JSON API: one blueprint, file names that follow the addresses. It calls the same queries and actions as the pages."""

from apiflask import APIBlueprint
from flask import Flask, Response, request
from werkzeug.exceptions import UnsupportedMediaType

from app import limits
from app.accounts.guard import SAFE
from app.api import idempotency

bp = APIBlueprint("api", __name__, url_prefix="/api", tag="Greenroom")

OWN_LIMITS = {"api.import_csv": limits.count_import, "api.send_bulk": limits.count_bulk}
OPEN = {"api.issue_token", "api.docs"}


def init_app(app: Flask) -> None:
    from app.api import auth, campaigns, connections, crm, docs, media, messages, monitoring, onlyfans

    assert all((auth, campaigns, connections, crm, docs, media, messages, monitoring, onlyfans))
    app.register_blueprint(bp)


@bp.before_request
def before() -> Response | None:
    if request.endpoint in OPEN:
        return None
    replayed = idempotency.begin()
    if replayed is None and request.method not in SAFE:
        OWN_LIMITS.get(request.endpoint or "", limits.count_write)()
        _require_json()
    return replayed


def _require_json() -> None:
    """Where a body is sent that is neither JSON nor a form with files."""
    has_body = (request.content_length or 0) > 0
    if has_body and not request.is_json and request.mimetype != "multipart/form-data":
        raise UnsupportedMediaType("Send JSON, with Content-Type: application/json.")


bp.after_request(idempotency.end)
