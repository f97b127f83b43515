"""Fans, conversations, and the messages in them."""

from typing import Any

from flask import url_for
from flask_login import current_user

from app.accounts.guard import account
from app.api import bp
from app.api.schemas.conversations import (
    ConversationChange,
    ConversationIn,
    ConversationOut,
    ConversationsOut,
    ConversationsQuery,
    MessageIn,
    MessageOut,
    MessageSearchQuery,
    MessagesOut,
    MessagesQuery,
    QueuedMessageOut,
    ThreadOut,
)
from app.api.schemas.fans import FanIn, FanOut, FansOut, FansQuery
from app.conversations import actions as conversation_actions
from app.conversations import forecast, triage
from app.conversations import queries as conversations
from app.conversations.actions import Draft
from app.conversations.models import Conversation, Message
from app.conversations.operators import read_words
from app.conversations.search import find_messages
from app.errors import Invalid
from app.fans import actions as fan_actions
from app.fans import queries as fans
from app.paging import fetch_page


@bp.get("/crm/fans")
@bp.input(FansQuery, location="query")
@bp.output(FansOut)
def list_fans(query_data: FansQuery) -> FansOut:
    rows = fans.search_fans(account.id, search=query_data.search, tag=query_data.tag)
    page = fetch_page(rows, fans.SORTS[query_data.sort], limit=query_data.limit, cursor=query_data.cursor)
    return FansOut(fans=page.rows, total=page.total, next_cursor=page.next_cursor)


@bp.post("/crm/fans")
@bp.input(FanIn)
@bp.output(FanOut, status_code=201)
def add_fan(json_data: FanIn) -> Any:
    fan = fan_actions.add_fan(account.id, json_data.model_dump(exclude_unset=True))
    return FanOut.model_validate(fan), 201, {"Location": url_for("api.show_fan", fan_id=fan.id)}


@bp.get("/crm/fans/<id:fan_id>")
@bp.output(FanOut)
def show_fan(fan_id: int) -> FanOut:
    return FanOut.model_validate(fans.find_fan(account.id, fan_id))


@bp.put("/crm/fans/<id:fan_id>")
@bp.input(FanIn)
@bp.output(FanOut)
def change_fan(fan_id: int, json_data: FanIn) -> FanOut:
    return FanOut.model_validate(fan_actions.change_fan(account.id, fan_id, json_data.model_dump(exclude_unset=True)))


@bp.delete("/crm/fans/<id:fan_id>")
@bp.output({}, status_code=204)
def remove_fan(fan_id: int) -> str:
    conversation_actions.remove_fan(account.id, fan_id)
    return ""


@bp.get("/crm/conversations")
@bp.input(ConversationsQuery, location="query")
@bp.output(ConversationsOut)
def list_conversations(query_data: ConversationsQuery) -> ConversationsOut:
    rows = conversations.search_conversations(account.id, search=query_data.search, unread=query_data.unread)
    page = fetch_page(rows, conversations.NEWEST_FIRST, limit=query_data.limit, cursor=query_data.cursor)
    return ConversationsOut(conversations=page.rows, total=page.total, next_cursor=page.next_cursor)


@bp.post("/crm/conversations")
@bp.input(ConversationIn)
@bp.output(ConversationOut, status_code=201)
@bp.doc(responses={200: "The conversation that stands already."})
def start_conversation(json_data: ConversationIn) -> Any:
    conversation, is_new = conversation_actions.start_conversation(account.id, json_data.fan_id)
    return ConversationOut.model_validate(conversation), 201 if is_new else 200


@bp.put("/crm/conversations/<id:conversation_id>")
@bp.input(ConversationChange)
@bp.output(ConversationOut)
def change_conversation(conversation_id: int, json_data: ConversationChange) -> ConversationOut:
    values = triage.ARCHIVED if json_data.archived else triage.OPEN
    changed = triage.change(account.id, conversation_id, values)
    return ConversationOut.model_validate(changed)


@bp.post("/crm/conversations/<id:conversation_id>/read")
@bp.output({}, status_code=204)
def mark_conversation_read(conversation_id: int) -> str:
    triage.mark_read(account.id, conversation_id)
    return ""


@bp.get("/crm/conversations/<id:conversation_id>/messages")
@bp.input(MessagesQuery, location="query")
@bp.output(ThreadOut)
def list_messages(conversation_id: int, query_data: MessagesQuery) -> ThreadOut:
    """Oldest first, whichever part is asked for."""
    conversation = conversations.find_conversation(account.id, conversation_id)
    return ThreadOut.model_validate(
        {"messages": _part(conversation, query_data), "total": conversations.count_messages(conversation)}
    )


def _part(conversation: Conversation, query: MessagesQuery) -> list[Message]:
    if query.before is not None:
        before = _known(conversation, "before", query.before)
        return conversations.newest_messages(conversation, query.limit, before=before)
    if query.after is not None:
        after = _known(conversation, "after", query.after)
        return conversations.messages_after(conversation, after, query.limit)
    if query.latest:
        return conversations.newest_messages(conversation, query.limit)
    return conversations.messages_from(conversation, query.offset, query.limit)


def _known(conversation: Conversation, name: str, message_id: int) -> Message:
    found = conversations.find_message_in(conversation, message_id)
    if found is None:
        raise Invalid((name, "No message of this conversation has this id."))
    return found


@bp.post("/crm/conversations/<id:conversation_id>/messages")
@bp.input(MessageIn)
@bp.output(QueuedMessageOut, status_code=202)
def post_message(conversation_id: int, json_data: MessageIn) -> QueuedMessageOut:
    draft = Draft(
        text=json_data.text,
        price_cents=json_data.price_cents,
        attachments=[each.as_said() for each in json_data.attachments],
        client_message_id=json_data.client_message_id,
        author_id=current_user.id,
    )
    message = conversation_actions.send_message(account.id, conversation_id, draft)
    shown = MessageOut.model_validate(message).model_dump()
    return QueuedMessageOut(**shown, estimated_send_time=forecast.send_time(message))


@bp.get("/crm/messages")
@bp.input(MessageSearchQuery, location="query")
@bp.output(MessagesOut)
def search_messages(query_data: MessageSearchQuery) -> MessagesOut:
    """The last word may be a beginning; words in quotation marks stand side by side. Newest first."""
    wanted = read_words(query_data.search)
    page = find_messages(
        account.id, current_user.id, wanted, limit=query_data.limit, cursor=query_data.cursor, counted=True
    )
    return MessagesOut(messages=page.rows, total=page.total, next_cursor=page.next_cursor)
