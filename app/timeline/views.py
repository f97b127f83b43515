from flask import Blueprint, render_template, request

from app.accounts.guard import account
from app.fans.queries import find_fan
from app.timeline import queries

bp = Blueprint("timeline", __name__)

HAPPENINGS_PER_PAGE = 50
HAPPENINGS_BESIDE_A_THREAD = 10


@bp.get("/fans/<id:fan_id>/timeline")
def show(fan_id: int) -> str:
    """The page; or the newest by themselves, to stand beside a conversation."""
    fan = find_fan(account.id, fan_id)
    kind = request.args.get("what", "")
    if request.headers.get("HX-Request"):
        page = queries.happenings(fan, kind, limit=HAPPENINGS_BESIDE_A_THREAD)
        return render_template("timeline/_beside.html", fan=fan, page=page, kind=kind)
    page = queries.happenings(fan, kind, limit=HAPPENINGS_PER_PAGE, cursor=request.args.get("cursor"))
    return render_template("timeline/show.html", fan=fan, page=page, kind=kind, kinds=queries.KINDS)
