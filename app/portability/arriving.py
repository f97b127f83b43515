"""How an imported account begins: complete, and holding still. The instance it came from may go on with the same work,
and nobody is to get a message twice."""

import secrets
from typing import Any

from sqlalchemy import exists, update

from app.campaigns.models import Campaign, CampaignStatus, Recipient
from app.conversations.desk_models import LaterReply, LaterStatus
from app.conversations.models import Message, MessageStatus, SendAttempt
from app.conversations.words import search_text
from app.database import execute, utcnow
from app.imports.models import Import, ImportStatus
from app.platforms.models import Connection, ConnectionStatus
from app.portability.catalogue import Part

CAME_WAITING = "It was waiting when the account was exported: the instance it came from may have sent it"
CAME_SENDING = "It was on its way when the account was exported: look in the platform's chat whether it arrived"
CAMPAIGN_HELD = "Imported, and held: make sure that the instance it came from does not send it, then resume it"
CAMPAIGN_UNSCHEDULED = "Imported: its time was taken off, for the instance it came from may keep it"
KEY_MISSING = "Imported without its key: enter it again to connect"
NOT_FINISHED = "It was not finished when the account was exported: upload the file again"


def values_of(part: Part, row: dict[str, Any]) -> dict[str, Any]:
    """What stayed behind, as a new row has it here."""
    if part.model is Connection:
        secret = {"api_key": "", "webhook_secret": secrets.token_hex(32)}
        held = {"status": ConnectionStatus.PAUSED, "status_detail": KEY_MISSING}
        return secret | held | {
            "wakes_on_answer": False, "faults_in_a_row": 0, "slow_percent": 100, "slowed_tick": 0, "cap_day": "",
            "cap_count": 0,
        }  # fmt: skip
    if part.model is Import:
        return {"stored_file": "", "tries": 0, "cursor": ""}
    if part.model is Message:
        return {"search_text": search_text(row["text"])}
    if part.model is SendAttempt:
        return {"started_tick": 0, "answered_tick": 0}  # long ago: they count for no pace
    return {}


def hold(account_id: int) -> None:
    """Nothing that was to be sent goes by itself. Does not commit."""
    _hold_campaigns(account_id)
    single = (Message.account_id == account_id) & Message.campaign_id.is_(None)
    _settle(single & (Message.status == MessageStatus.QUEUED), MessageStatus.CANCELLED, CAME_WAITING)
    on_their_way = (Message.account_id == account_id) & (Message.status == MessageStatus.SENDING)
    _settle(on_their_way, MessageStatus.UNKNOWN, CAME_SENDING)
    waiting = (LaterReply.account_id == account_id) & (LaterReply.status == LaterStatus.WAITING)
    execute(update(LaterReply).where(waiting).values(status=LaterStatus.CANCELLED, reason=CAME_WAITING))
    _end_imports(account_id)


def _hold_campaigns(account_id: int) -> None:
    own = Campaign.account_id == account_id
    waits = exists().where(
        Message.campaign_id == Campaign.id, Message.status.in_((MessageStatus.QUEUED, MessageStatus.SENDING))
    )
    unprepared = exists().where(
        Recipient.campaign_id == Campaign.id, Recipient.message_id.is_(None), Recipient.skip_reason.is_(None)
    )
    unfinished = own & (Campaign.status == CampaignStatus.ACTIVE) & (waits | unprepared | (Campaign.trigger != ""))
    execute(update(Campaign).where(unfinished).values(status=CampaignStatus.PAUSED, note=CAMPAIGN_HELD))
    scheduled = own & (Campaign.status == CampaignStatus.SCHEDULED)
    execute(update(Campaign).where(scheduled).values(status=CampaignStatus.DRAFT, note=CAMPAIGN_UNSCHEDULED))


def _settle(which: Any, status: MessageStatus, reason: str) -> None:
    execute(update(Message).where(which).values(status=status, status_reason=reason, changed_at=utcnow()))


def _end_imports(account_id: int) -> None:
    own, done = Import.account_id == account_id, {"finished_at": utcnow(), "failure": NOT_FINISHED}
    open_still = (ImportStatus.MAPPING, ImportStatus.REHEARSING, ImportStatus.REHEARSED)
    execute(update(Import).where(own & Import.status.in_(open_still)).values(status=ImportStatus.DISCARDED, **done))
    at_work = (ImportStatus.APPLYING, ImportStatus.UNDOING)
    execute(update(Import).where(own & Import.status.in_(at_work)).values(status=ImportStatus.FAILED, **done))
