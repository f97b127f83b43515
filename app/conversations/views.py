from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug import Response

from app.accounts import queries as accounts
from app.accounts.guard import account
from app.conversations import actions, queries, saved_views, triage
from app.conversations.actions import Draft
from app.conversations.forms import NEWEST, SORTS, ComposerForm, kept_in_address, list_filter, list_sort
from app.conversations.models import Conversation, Message
from app.database import LARGEST_ID
from app.errors import Conflict, Invalid, NotFound
from app.media.actions import store_upload
from app.paging import fetch_page
from app.platforms.queries import first_connection

bp = Blueprint("conversations", __name__)

CONVERSATIONS_PER_PAGE = 40
MESSAGES_PER_PAGE = 50
FORM_FIELDS = {"text": "text", "priceCents": "price", "attachments": "files", "file": "files"}


def unread_badge() -> dict[str, Any]:
    """For the sidebar of every page."""
    return {"unread_total": queries.unread_total(account.id)} if g.get("membership") else {}


@bp.get("/messages/onlyfans")
def index() -> str:
    values = _list_values()
    if request.headers.get("HX-Request"):
        return render_template("conversations/_list.html", **values)
    return render_template("conversations/index.html", conversation=None, **values)


@bp.get("/messages/onlyfans/<id:conversation_id>")
def show(conversation_id: int) -> str:
    """`at`: the id of a message that is to be seen in its surroundings."""
    triage.mark_read(account.id, conversation_id)
    conversation = queries.find_conversation(account.id, conversation_id)
    at = queries.find_message_in(conversation, request.args.get("at", 0, type=_id))
    if at is None and request.args.get("at"):
        flash("That message is no longer here.", "error")
    return _thread_page(conversation, ComposerForm(), at=at)


def _id(said: str) -> int:
    return min(int(said), LARGEST_ID)


@bp.post("/messages/onlyfans/<id:conversation_id>")
def post(conversation_id: int) -> Response | str | tuple[str, int]:
    conversation = queries.find_conversation(account.id, conversation_id)
    form = ComposerForm()
    if form.validate_on_submit():
        try:
            message = actions.send_message(account.id, conversation_id, _draft(form))
        except (Invalid, Conflict) as error:
            _show_error(form, error)
        else:
            return _after_sending(conversation, message)
    if request.headers.get("HX-Request"):
        return render_template("conversations/_composer.html", conversation=conversation, form=form), 422
    return _thread_page(conversation, form), 400


def _draft(form: ComposerForm) -> Draft:
    return Draft(
        text=form.clean_text(),
        price_cents=form.price_cents(),
        attachments=[store_upload(account.id, file) for file in form.files.data or [] if file and file.filename],
        client_message_id=form.client_message_id.data or None,
        author_id=current_user.id,
    )


def _show_error(form: ComposerForm, error: Invalid | Conflict) -> None:
    if isinstance(error, Conflict):
        form.text.errors = [error.detail]
        return
    for name, message in error.errors:
        form[FORM_FIELDS.get(name.partition(".")[0], "text")].errors = [message]


def _after_sending(conversation: Conversation, message: Message) -> Response | str:
    if request.headers.get("HX-Request"):
        fresh = ComposerForm(formdata=None)
        return render_template(
            "conversations/_composer.html",
            conversation=conversation,
            form=fresh,
            sent=message,
            timezone=account.timezone,
        )
    return redirect(url_for("conversations.show", conversation_id=conversation.id))


@bp.get("/messages/onlyfans/<id:conversation_id>/older")
def older(conversation_id: int) -> str:
    """The page just before a message, to stand above it."""
    conversation = queries.find_conversation(account.id, conversation_id)
    before = queries.find_message_in(conversation, request.args.get("before", 0, type=int))
    if before is None:
        raise NotFound
    messages, more = _page_before(conversation, before)
    return render_template("conversations/_messages.html", **_messages_values(conversation, messages, more))


@bp.get("/messages/onlyfans/<id:conversation_id>/newer")
def newer(conversation_id: int) -> str:
    """The page just after a message, to stand below it."""
    conversation = queries.find_conversation(account.id, conversation_id)
    after = queries.find_message_in(conversation, request.args.get("after", 0, type=_id))
    if after is None:
        raise NotFound
    found = queries.messages_after(conversation, after, MESSAGES_PER_PAGE + 1)
    values = _messages_values(conversation, found[:MESSAGES_PER_PAGE], more=False)
    return render_template("conversations/_messages.html", newer=len(found) > MESSAGES_PER_PAGE, **values)


@bp.post("/messages/onlyfans/<id:conversation_id>/read")
def read(conversation_id: int) -> tuple[str, int]:
    triage.mark_read(account.id, conversation_id)
    return "", 204


@bp.post("/messages/onlyfans/with/<id:fan_id>")
def open_with(fan_id: int) -> Response:
    conversation, _ = actions.start_conversation(account.id, fan_id)
    return redirect(url_for("conversations.show", conversation_id=conversation.id))


@bp.post("/fans/<id:fan_id>/delete")
def remove_fan(fan_id: int) -> Response:
    actions.remove_fan(account.id, fan_id)
    flash("The fan and their conversation were deleted.", "success")
    return redirect(url_for("fans.index"))


def _thread_page(conversation: Conversation, form: ComposerForm, at: Message | None = None) -> str:
    messages, more, newer = _page_around(conversation, at) if at else (*_page_before(conversation, None), False)
    return render_template(
        "conversations/index.html",
        form=form,
        at=at.id if at else None,
        newer=newer,
        snooze_times=triage.snooze_times(account.timezone),
        people=accounts.people_of(account.id),
        **_messages_values(conversation, messages, more),
        **_list_values(),
    )


def _page_before(conversation: Conversation, before: Message | None) -> tuple[list[Message], bool]:
    found = queries.newest_messages(conversation, MESSAGES_PER_PAGE + 1, before=before)
    return found[-MESSAGES_PER_PAGE:], len(found) > MESSAGES_PER_PAGE


def _page_around(conversation: Conversation, at: Message) -> tuple[list[Message], bool, bool]:
    """A message in its surroundings; whether there are older and newer ones."""
    half = MESSAGES_PER_PAGE // 2
    found = queries.messages_around(conversation, at, half + 1)
    place = found.index(at)
    return found[max(0, place - half) : place + half + 1], place > half, len(found) - place - 1 > half


def _messages_values(conversation: Conversation, messages: list[Message], more: bool) -> dict[str, Any]:
    return {"conversation": conversation, "messages": messages, "more": more, "timezone": account.timezone}


def _list_values() -> dict[str, Any]:
    wanted, sort = list_filter(), list_sort()
    plain = wanted.is_plain and sort == NEWEST
    pinned = queries.pinned(account.id) if plain and not request.args.get("cursor") else []
    rows = queries.inbox(account.id, current_user.id, wanted)
    if plain:
        rows = rows.where(~Conversation.pinned)
    cursor = request.args.get("cursor")
    return {
        "page": fetch_page(rows, SORTS[sort].order, limit=CONVERSATIONS_PER_PAGE, cursor=cursor, counted=False),
        "pinned": pinned,
        "wanted": wanted,
        "sort": sort,
        "grows": plain and not cursor,
        "kept": kept_in_address(),
        "connection": first_connection(account.id, "onlyfans"),
        "views": saved_views.seen_by(account.id, current_user.id),
        "needs_a_person": queries.count_needing_a_person(account.id),
    }
