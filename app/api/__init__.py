"""The JSON API: one blueprint, file names that follow the addresses. It calls the same queries and actions as the pages."""

from apiflask import APIBlueprint, APIFlask
from flask import Response, request

from app import limits
from app.accounts.guard import SAFE
from app.api import bodies, idempotency

bp = APIBlueprint("api", __name__, url_prefix="/api", tag="Greenroom")

OWN_LIMITS = {
    "api.import_csv": limits.count_import,
    "api.upload_import": limits.count_import,
    "api.send_bulk": limits.count_bulk,
}
OPEN = {"api.issue_token", "api.docs"}
UNCOUNTED = {"api.revoke_token", "api.count_segment"}  # who leaves is let go; who asks writes nothing


def init_app(app: APIFlask) -> None:
    from app.api import auth, campaigns, connections, crm, docs, imports, media, messages, monitoring, onlyfans
    from app.api import analytics, openapi, segments  # isort: skip

    answering = (auth, campaigns, connections, crm, docs, imports, media, messages, monitoring, onlyfans, segments)
    assert all((*answering, analytics))
    app.register_blueprint(bp)
    openapi.init_app(app)


@bp.before_request
def before() -> Response | None:
    """After sign-in, before validation: the key, then the limit, then the kind of body."""
    if request.endpoint not in OPEN:
        replayed = idempotency.begin()
        if replayed is not None:
            return replayed
        if request.method not in SAFE and request.endpoint not in UNCOUNTED:
            OWN_LIMITS.get(request.endpoint or "", limits.count_write)()
    bodies.check()
    return None


bp.after_request(idempotency.end)
