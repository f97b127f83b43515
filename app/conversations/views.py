from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from flask_login import current_user
from werkzeug import Response

from app.accounts import queries as accounts
from app.accounts.guard import account, may
from app.conversations import actions, drafts, looking, notes, queries, saved_views, sending_later, thread, triage
from app.conversations.actions import Draft, WrittenMeanwhile
from app.conversations.forms import (
    NEWEST,
    SORTS,
    ComposerForm,
    composer_of,
    kept_in_address,
    list_filter,
    list_sort,
)
from app.conversations.keys import KeyTaken
from app.conversations.listing import page_of_inbox, pinned
from app.conversations.models import Conversation, Message, new_key
from app.conversations.thread import Entry
from app.errors import Conflict, Invalid, NotFound
from app.formats import without_cents
from app.money import queries as money
from app.platforms.queries import first_connection
from app.quick_replies import queries as quick_replies
from app.web import id_in

bp = Blueprint("conversations", __name__)

CONVERSATIONS_PER_PAGE = 40
FORM_FIELDS = {"text": "text", "sendAt": "at_time", "priceCents": "price", "attachments": "files", "file": "files"}


def unread_badge() -> dict[str, Any]:
    """For the sidebar of every whole page: a part of one does not count."""
    return {"unread_total": lambda: queries.unread_total(account.id)} if g.get("membership") else {}


@bp.get("/messages/onlyfans")
def index() -> str:
    values = _list_values()
    if _asks_for("conversation-list"):
        return render_template("conversations/_list.html", **values)
    return render_template("conversations/index.html", conversation=None, undo=session.pop("undo", None), **values)


def _asks_for(part: str) -> bool:
    """Whether htmx wants only that element of the page. On the way back it wants the whole again."""
    target = request.headers.get("HX-Target", "").rpartition("#")[2]
    return target == part and "HX-History-Restore-Request" not in request.headers


@bp.get("/messages/onlyfans/<id:conversation_id>")
def show(conversation_id: int) -> str:
    """The whole page, or the thread alone to stand beside the list. `at`: the id of a message that is to be seen in its
    surroundings."""
    conversation = queries.find_thread(account.id, conversation_id)
    since = looking.since_last_look(conversation, current_user.id)
    is_news = since is None or since.message_id < (conversation.last_message_id or 0) or conversation.unread_count > 0
    if is_news and may("conversations.read"):  # for who only looks, the thread stays as unread as it is
        looking.look(conversation, current_user.id, conversation.last_message_id or 0)
    form = composer_of(drafts.find_draft(conversation, current_user.id))
    form.text.data = _chosen_reply(conversation) or form.text.data
    at_id = id_in(request.args.get("at"))
    at = queries.find_message_in(conversation, at_id) if at_id else None
    if at is None and request.args.get("at"):
        flash("That message is no longer here.", "error")
    return thread_page(conversation, form, since, at)


def _chosen_reply(conversation: Conversation) -> str | None:
    """The text of the quick reply that the address names, for those who have no JavaScript."""
    if not (reply_id := id_in(request.args.get("reply"))):
        return None
    try:
        reply = quick_replies.find_reply(account.id, current_user.id, reply_id)
    except NotFound:
        return None
    return quick_replies.filled_in(reply, conversation.fan).text


@bp.post("/messages/onlyfans/<id:conversation_id>")
def post(conversation_id: int) -> Response | str | tuple[str, int]:
    conversation = queries.find_conversation(account.id, conversation_id)
    form = ComposerForm()
    if form.validate_on_submit() and not form.is_address_left() and (form.is_note or form.is_agreed()):
        try:
            said = _say(conversation_id, form)
        except KeyTaken:
            _give_key(conversation, form)
        except (Invalid, Conflict) as error:
            _show_error(form, error)
        else:
            return _after_saying(conversation, said, form)
    if request.headers.get("HX-Request"):
        return render_template("conversations/_composer.html", form=form, **_with_times(conversation)), 422
    return thread_page(conversation, form), 400


def _say(conversation_id: int, form: ComposerForm) -> Entry:
    """Raises Invalid, Conflict."""
    if form.is_note:
        if form.price_cents() or form.chosen:
            raise Invalid(("text", "A note has neither price nor files: the fan never sees it."))
        key = form.client_message_id.data or ""
        return notes.add_note(account.id, conversation_id, current_user.id, form.clean_text(), key)
    if form.at.data:
        send_at = sending_later.chosen_time(form.at.data, form.at_time.data or "", account.timezone)
        unless_answered = not form.even_if_answered.data
        return sending_later.send_later(
            account.id, conversation_id, _draft(form), send_at, unless_answered=unless_answered
        )
    return actions.send_message(account.id, conversation_id, _draft(form))


def _draft(form: ComposerForm) -> Draft:
    return Draft(
        text=form.clean_text(),
        price_cents=form.price_cents(),
        attachments=form.attachments(),
        client_message_id=form.client_message_id.data or None,
        author_id=current_user.id,
        seen_message_id=form.seen_message_id(),
    )


def _give_key(conversation: Conversation, form: ComposerForm) -> None:
    """Under the form's own key something else was sent, by another window, or by this one, which never heard of it. What
    it says now is as good as begun: it waits for its author's word."""
    form.client_message_id.data = new_key()
    form.text.errors = ["Something else was sent from here before, see above. Send this one too?"]
    _save_draft(conversation.id, form)


def _show_error(form: ComposerForm, error: Invalid | Conflict) -> None:
    if isinstance(error, WrittenMeanwhile):
        form.show_missed(error.messages)
        return
    if isinstance(error, Conflict):
        form.text.errors = [error.detail]
        return
    for name, message in error.errors:
        form[FORM_FIELDS.get(name.partition(".")[0], "text")].errors = [without_cents(message)]


def _after_saying(conversation: Conversation, said: Entry, form: ComposerForm) -> Response | str:
    if request.headers.get("HX-Request"):
        fresh = ComposerForm(formdata=None)
        fresh.seen.data = str(max(said.id if said.kind == "message" else 0, form.seen_message_id() or 0))
        return render_template("conversations/_composer.html", form=fresh, sent=said, **_with_times(conversation))
    return redirect(url_for("conversations.show", conversation_id=conversation.id))


@bp.get("/messages/onlyfans/<id:conversation_id>/older")
def older(conversation_id: int) -> str:
    """The page just before a message, to stand above it."""
    conversation = queries.find_conversation(account.id, conversation_id)
    before = queries.find_message_in(conversation, id_in(request.args.get("before")))
    if before is None:
        raise NotFound
    page = thread.page_of(conversation, before)
    return render_template("conversations/_messages.html", thread_page=page, **_with_times(conversation))


@bp.get("/messages/onlyfans/<id:conversation_id>/newer")
def newer(conversation_id: int) -> str:
    """The page just after a message, to stand below it."""
    conversation = queries.find_conversation(account.id, conversation_id)
    after = queries.find_message_in(conversation, id_in(request.args.get("after")))
    if after is None:
        raise NotFound
    page = thread.page_after(conversation, after)
    return render_template("conversations/_messages.html", thread_page=page, **_with_times(conversation))


@bp.get("/messages/onlyfans/<id:conversation_id>/fan")
def fan_card(conversation_id: int) -> str:
    """Who they are by now: for the card beside the thread, and its header."""
    conversation = queries.find_conversation(account.id, conversation_id)
    spend = money.spend_of(account.id, conversation.fan_id)
    return render_template("conversations/_fan_anew.html", conversation=conversation, spend=spend)


@bp.post("/messages/onlyfans/<id:conversation_id>/read")
def read(conversation_id: int) -> tuple[str, int]:
    """`seen`: the newest message that was shown for long enough to be read."""
    conversation = queries.find_conversation(account.id, conversation_id)
    seen = id_in(request.form.get("seen")) or conversation.last_message_id or 0
    looking.look(conversation, current_user.id, seen)
    return "", 204


@bp.post("/messages/onlyfans/<id:conversation_id>/draft")
def keep_draft(conversation_id: int) -> tuple[str, int]:
    """204; or 200 and "sent": that key needs no draft any more."""
    form = ComposerForm()
    if not form.validate():
        raise Invalid(*((name, str(next(iter(errors)))) for name, errors in form.errors.items() if name))
    return ("", 204) if _save_draft(conversation_id, form) else ("sent", 200)


def _save_draft(conversation_id: int, form: ComposerForm) -> bool:
    return drafts.save_draft(
        account.id,
        conversation_id,
        current_user.id,
        text=form.clean_text(),
        price_cents=form.price_cents(),
        client_message_id=form.client_message_id.data or "",
        attachments=form.chosen,
        is_note=form.is_note,
    )


@bp.post("/messages/onlyfans/with/<id:fan_id>")
def open_with(fan_id: int) -> Response:
    conversation, _ = actions.start_conversation(account.id, fan_id)
    return redirect(url_for("conversations.show", conversation_id=conversation.id))


@bp.post("/fans/<id:fan_id>/delete")
def remove_fan(fan_id: int) -> Response:
    actions.remove_fan(account.id, fan_id)
    flash("The fan and their conversation were deleted.", "success")
    return redirect(url_for("fans.index"))


def thread_page(
    conversation: Conversation,
    form: ComposerForm,
    since: looking.Since | None = None,
    at: Message | None = None,
    **faults: str,
) -> str:
    """`faults`: what is wrong with another form than the composer, by the names of its templates."""
    page = thread.page_around(conversation, at) if at else thread.page_of(conversation)
    form.seen.data = form.seen.data or str(page.newest_message_id)
    values = {
        "thread_page": page,
        "form": form,
        "since": since,
    }
    values["spend"] = money.spend_of(account.id, conversation.fan_id)
    values |= {"found_id": at.id if at else None} | _with_times(conversation) | faults
    if _asks_for("pane"):
        people = accounts.people_of(account.id, active_only=True)
        return render_template("conversations/_pane.html", alone=True, kept=kept_in_address(), people=people, **values)
    return render_template("conversations/index.html", **values, **_list_values())


def _with_times(conversation: Conversation) -> dict[str, Any]:
    zone = account.timezone
    return {"conversation": conversation, "timezone": zone, "snooze_times": triage.snooze_times(zone)}


def _list_values() -> dict[str, Any]:
    wanted, sort = list_filter(), list_sort()
    plain = wanted.is_plain and sort == NEWEST
    cursor = request.args.get("cursor")
    page = page_of_inbox(
        account.id, current_user.id, wanted, SORTS[sort].order, limit=CONVERSATIONS_PER_PAGE, cursor=cursor, with_pinned=not plain
    )  # fmt: skip
    return {
        "page": page,
        "pinned": pinned(account.id) if plain and not cursor else [],
        "wanted": wanted,
        "sort": sort,
        "grows": plain and not cursor,
        "kept": kept_in_address(),
        "people": accounts.people_of(account.id, active_only=True),
        "connection": None if page.total else first_connection(account.id, "onlyfans"),  # why there is nothing
        "views": saved_views.seen_by(account.id, current_user.id),
        "needs_a_person": queries.count_needing_a_person(account.id),
    }
