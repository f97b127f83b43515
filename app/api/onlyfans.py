"""Sending single messages and watching the sender; CSV imports."""

from typing import Any

from flask import Response, request, stream_with_context, url_for
from flask_login import current_user

from app.accounts.guard import account
from app.api import bp
from app.api.drafts import draft_of, renamed
from app.api.schemas.base import PageQuery
from app.api.schemas.conversations import MessageOut, MessagesOut
from app.api.schemas.files import ImportForm, ImportOut
from app.api.schemas.sending import SenderStatusOut, SendIn, SendOut, SentMessageOut, SettleIn
from app.conversations import actions, forecast, sender_status, settling
from app.conversations import queries as conversations
from app.errors import Invalid
from app.imports import actions as import_actions
from app.imports import queries as imports
from app.imports import rejected
from app.imports.models import Import
from app.paging import fetch_page

IMPORT_WAIT_SECONDS = 25


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


@bp.post("/onlyfans/import/csv")
@bp.input(ImportForm, location="form")
@bp.output(ImportOut)
@bp.doc(responses={202: "Still running: ask again at Location."})
def import_csv(form_data: ImportForm) -> Any:
    file = request.files.get("file")
    if file is None:
        raise Invalid(("file", "Send the CSV as the multipart field `file`."))
    started = import_actions.start(
        account.id, current_user.id, filename=file.filename or "", content=file.stream, **form_data.model_dump()
    )
    seconds = 0 if "respond-async" in request.headers.get("Prefer", "") else IMPORT_WAIT_SECONDS
    return _import_answer(import_actions.wait_for(started.id, seconds))


def _import_answer(found: Import) -> Any:
    document = ImportOut.model_validate(
        {"import_id": found.id, "status": found.status, "kind": found.kind, "summary": imports.summary(found)}
    )
    if found.status in ("queued", "running"):
        document.status = "running"
        return document, 202, {"Location": url_for("api.show_import", import_id=found.id)}
    return document


@bp.get("/onlyfans/import/<id:import_id>")
@bp.output(ImportOut)
def show_import(import_id: int) -> Any:
    found = imports.find_import(account.id, import_id)
    answer = _import_answer(found)
    return answer[0] if isinstance(answer, tuple) else answer


@bp.get("/onlyfans/import/<id:import_id>/rejected.csv")
@bp.doc(responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}})
def rejected_rows(import_id: int) -> Response:
    found = imports.find_import(account.id, import_id)
    response = Response(stream_with_context(rejected.as_csv(found)), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="rejected-{found.id}.csv"'
    return response
