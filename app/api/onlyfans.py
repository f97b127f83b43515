"""Sending single messages and watching the sender."""

from app.accounts.guard import account
from app.api import bp
from app.api.drafts import draft_of, renamed
from app.api.schemas.base import PageQuery
from app.api.schemas.conversations import MessageOut, MessagesOut
from app.api.schemas.sending import SenderStatusOut, SendIn, SendOut, SentMessageOut, SettleIn
from app.conversations import actions, forecast, sender_status, settling
from app.conversations import queries as conversations
from app.paging import fetch_page


@bp.post("/onlyfans/messages/send")
@bp.input(SendIn)
@bp.output(SendOut, status_code=202)
def send_message(json_data: SendIn) -> SendOut:
    with renamed(text="content", attachments="mediaUrls"):
        message = actions.send_to_fan(account.id, json_data.recipient_id, draft_of(json_data))
    return SendOut(
        message_id=message.id,
        status=message.status,
        queued_at=message.created_at,
        estimated_send_time=forecast.send_time(message),
    )


@bp.get("/onlyfans/messages/status")
@bp.output(SenderStatusOut)
def sending_status() -> SenderStatusOut:
    return SenderStatusOut.model_validate(sender_status.sender_status(account.id))


@bp.get("/onlyfans/messages/failed")
@bp.input(PageQuery, location="query")
@bp.output(MessagesOut)
def list_failed(query_data: PageQuery) -> MessagesOut:
    """Failed and unknown ones, newest first."""
    rows = conversations.messages_needing_a_person(account.id)
    page = fetch_page(rows, conversations.NEWEST_MESSAGES_FIRST, limit=query_data.limit, cursor=query_data.cursor)
    return MessagesOut(messages=page.rows, total=page.total, next_cursor=page.next_cursor)


@bp.get("/onlyfans/messages/<id:message_id>")
@bp.output(SentMessageOut)
def show_message(message_id: int) -> SentMessageOut:
    return SentMessageOut.model_validate(conversations.find_outgoing(account.id, message_id))


@bp.post("/onlyfans/messages/<id:message_id>/retry")
@bp.output(MessageOut, status_code=202)
def retry_message(message_id: int) -> MessageOut:
    return MessageOut.model_validate(settling.retry(account.id, message_id))


@bp.post("/onlyfans/messages/<id:message_id>/settle")
@bp.input(SettleIn)
@bp.output(MessageOut)
def settle_message(message_id: int, json_data: SettleIn) -> MessageOut:
    arrived = json_data.outcome == "sent"
    return MessageOut.model_validate(settling.settle(account.id, message_id, arrived=arrived))
