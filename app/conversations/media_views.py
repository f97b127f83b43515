"""The media of a message while it is written: chosen of what is kept, or uploaded.

Without JavaScript the composer's own form goes to the picker and back, and loses nothing on the way.
"""

from flask import Response, redirect, render_template, request, url_for
from werkzeug import Response as BaseResponse

from app.accounts.guard import account
from app.conversations import queries
from app.conversations.carried import got_by
from app.conversations.forms import ComposerForm
from app.conversations.media_fields import chosen_media
from app.conversations.models import Conversation
from app.conversations.views import bp, thread_page
from app.errors import Invalid
from app.media import queries as media
from app.media.actions import store_from_address, store_upload
from app.paging import fetch_page

MEDIA_PER_PAGE = 24
PARTS = {"dialog": "_media_picker", "grid": "_media_grid", "tiles": "_media_tiles"}


@bp.get("/messages/onlyfans/<id:conversation_id>/media")
def media_picker(conversation_id: int) -> str:
    """The page, or the part of it that is asked for."""
    conversation = queries.find_conversation(account.id, conversation_id)
    part = PARTS.get(request.args.get("part", ""), "media")
    chosen = [each["url"] for each in chosen_media()]
    return _picker(conversation, part, chosen)


@bp.post("/messages/onlyfans/<id:conversation_id>/media")
def choose_media(conversation_id: int) -> str:
    """With the message as it stands, which goes along."""
    conversation = queries.find_conversation(account.id, conversation_id)
    form = ComposerForm()
    form.validate()
    return _picker(conversation, "media", [each["url"] for each in form.chosen], form)


def _picker(conversation: Conversation, part: str, chosen: list[str], form: ComposerForm | None = None) -> str:
    kind, search = request.values.get("kind", ""), request.values.get("search", "").replace("\0", "")[:200]
    rows = media.media_of(account.id, kind=kind, search=search)
    cursor = request.values.get("cursor")
    page = fetch_page(rows, media.NEWEST_FIRST, limit=MEDIA_PER_PAGE, cursor=cursor, counted=False)
    shown = [each.url for each in page.rows]
    return render_template(
        f"conversations/{part}.html",
        conversation=conversation,
        form=form,
        page=page,
        got=got_by(account.id, conversation.fan_id, shown),
        chosen=chosen,
        elsewhere=[each for each in chosen if each not in shown],
        kind=kind,
        search=search,
        is_dialog=part == PARTS["dialog"],
        timezone=account.timezone,
    )


@bp.get("/messages/onlyfans/<id:conversation_id>/media/chosen")
def show_chosen(conversation_id: int) -> str:
    conversation = queries.find_conversation(account.id, conversation_id)
    return render_template("conversations/_chosen_media.html", conversation=conversation, chosen=chosen_media())


@bp.post("/messages/onlyfans/<id:conversation_id>/media/upload")
def upload_medium(conversation_id: int) -> Response | str:
    """A file, or what lies at an address, as soon as it is there, before the message is sent."""
    conversation = queries.find_conversation(account.id, conversation_id)
    file, address = request.files.get("file"), request.form.get("address", "").strip()
    try:
        if file is None and not address:
            raise Invalid(("file", "Choose a file."))
        chosen = [store_upload(account.id, file) if file else store_from_address(account.id, address)]
    except Invalid as error:
        return Response(error.errors[0][1], error.status, mimetype="text/plain")
    return render_template("conversations/_chosen_media.html", conversation=conversation, chosen=chosen)


@bp.get("/messages/onlyfans/<id:conversation_id>/compose")
@bp.get("/messages/onlyfans/<id:conversation_id>/snooze")
def leave_compose(conversation_id: int) -> BaseResponse:
    """Where a form's answer stood in the address, and somebody comes back to it."""
    conversation = queries.find_conversation(account.id, conversation_id)
    return redirect(url_for("conversations.show", conversation_id=conversation.id))


@bp.post("/messages/onlyfans/<id:conversation_id>/compose")
def compose(conversation_id: int) -> str:
    """The message as it stands, to be written on."""
    conversation = queries.find_conversation(account.id, conversation_id)
    form = ComposerForm()
    form.validate()
    if request.form.get("by_address"):
        form.attach_from_address()
    return thread_page(conversation, form)
