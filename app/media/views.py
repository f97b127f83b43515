from urllib.parse import quote

from flask import Blueprint, Response, request

from app.accounts.guard import account
from app.errors import NotFound
from app.media import actions, queries
from app.media.models import Medium
from app.media.stores import FileGone

bp = Blueprint("media", __name__)

KEPT_SECONDS = 86_400  # by the browser; what lies at an address never changes


@bp.get("/media/<id:medium_id>")
def show(medium_id: int) -> Response:
    """Through us and by nobody else's address: so it is shown to its account alone."""
    medium = queries.find_medium(account.id, medium_id)
    response = Response(mimetype=medium.content_type)
    response.content_length = medium.size
    response.set_etag(medium.file)
    response.cache_control.private = True
    response.cache_control.max_age = KEPT_SECONDS
    response.headers["Content-Disposition"] = _inline(medium.name)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.make_conditional(request, accept_ranges=True, complete_length=medium.size)
    if response.status_code != 304 and request.method == "GET":
        response.response = _content(medium, response)
    return response


def _inline(name: str) -> str:
    plain = "".join(each if each.isascii() and each.isprintable() and each not in '"\\' else "_" for each in name)
    return f"inline; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _content(medium: Medium, response: Response):
    part = response.content_range
    start, stop = (part.start or 0, part.stop or 0) if part.units else (0, medium.size)
    try:
        return actions.read_medium(medium, start, stop - start)
    except FileGone as error:
        raise NotFound("The file is no longer in its store.") from error
