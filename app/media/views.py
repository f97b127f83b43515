from flask import Blueprint, Response, send_file

from app.accounts.guard import account
from app.media import actions, queries

bp = Blueprint("media", __name__)


@bp.get("/media/<id:medium_id>")
def show(medium_id: int) -> Response:
    medium = queries.find_medium(account.id, medium_id)
    response = send_file(
        actions.path_of(medium),
        mimetype=medium.content_type,
        download_name=medium.name,
        max_age=86400,
        conditional=True,
    )
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.cache_control.private = True
    return response
