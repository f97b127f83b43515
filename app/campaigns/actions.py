"""Launching a campaign and steering it. All its messages are queued rows; the outbox looks at its state each time."""

from dataclasses import dataclass, field

from sqlalchemy import select, update

from app.campaigns import queries
from app.campaigns.models import Campaign, CampaignStatus, Recipient
from app.conversations import actions as conversations
from app.conversations import live, settling
from app.conversations.actions import Draft
from app.conversations.carried import note_media
from app.conversations.claims import wake
from app.conversations.models import Message, MessageStatus
from app.conversations.recording import CAMPAIGN_CANCELLED
from app.database import db, write
from app.errors import Conflict, Invalid
from app.fans import queries as fans
from app.fans.models import Fan
from app.platforms import queries as platforms
from app.platforms.models import Connection


@dataclass(frozen=True)
class Plan:
    """What is to be sent, and to whom."""

    fan_ids: list[int]
    draft: Draft
    name: str = ""
    type: str = "bulk_message"
    audience: dict = field(default_factory=dict)


def launch(account_id: int, plan: Plan) -> Campaign:
    """Freezes the audience: a recipient per fan considered, a queued message per one included, all or nothing.

    Raises Invalid, naming ids that are not the account's.
    """
    wanted = list(dict.fromkeys(plan.fan_ids))
    with write() as session:
        found = fans.find_fans(account_id, wanted)
        strangers = [str(fan_id) for fan_id in wanted if fan_id not in found]
        if strangers:
            raise Invalid(("recipientIds", f"No fans of this account: {', '.join(strangers)}."))
        connection = platforms.first_connection(account_id, "onlyfans")
        conversations.check_draft(account_id, connection, plan.draft)
        campaign = _new_campaign(account_id, connection, plan)
        session.add(campaign)
        session.flush()
        noted = [news for fan_id in wanted for news in _include(campaign, connection, found[fan_id], plan.draft)]
        note_media(plan.draft.attachments, Message.campaign_id == campaign.id)
    live.tell(noted)
    wake(account_id)
    return campaign


def _new_campaign(account_id: int, connection: Connection | None, plan: Plan) -> Campaign:
    return Campaign(
        account_id=account_id,
        connection_id=connection.id if connection else None,
        name=plan.name or f"Message to {len(set(plan.fan_ids))} fans",
        type=plan.type,
        content=plan.draft.text,
        attachments=plan.draft.attachments,
        price_cents=plan.draft.price_cents,
        priority=plan.draft.priority,
        audience=plan.audience or {"fanIds": sorted(set(plan.fan_ids))},
        author_id=plan.draft.author_id,
    )


def _include(campaign: Campaign, connection: Connection | None, fan: Fan, draft: Draft) -> list[live.Noted]:
    """A fan's place in the books, and their message unless there is a reason against. Does not commit."""
    reason = skip_reason(fan, connection)
    recipient = Recipient(account_id=campaign.account_id, campaign_id=campaign.id, fan_id=fan.id, skip_reason=reason)
    db.session.add(recipient)
    if reason or connection is None:
        return []
    conversation, _ = conversations.ensure_conversation(fan)
    message = conversations.new_message(
        campaign.account_id, conversation.id, fan.id, connection.id, draft, campaign_id=campaign.id
    )
    db.session.add(message)
    db.session.flush()
    recipient.message_id = message.id
    return live.note_message(message)


def skip_reason(fan: Fan, connection: Connection | None) -> str | None:
    if fan.do_not_message:
        return "do_not_message"
    if connection is None or not fan.platform_fan_id:
        return "not_linked"
    return None


def pause(account_id: int, campaign_id: int) -> Campaign:
    return _change(account_id, campaign_id, CampaignStatus.PAUSED, allowed=(CampaignStatus.ACTIVE,))


def resume(account_id: int, campaign_id: int) -> Campaign:
    campaign = _change(account_id, campaign_id, CampaignStatus.ACTIVE, allowed=(CampaignStatus.PAUSED,))
    wake(account_id)
    return campaign


def cancel(account_id: int, campaign_id: int) -> Campaign:
    """What waits is cancelled; what is on its way still gets its answer."""
    allowed = (CampaignStatus.ACTIVE, CampaignStatus.PAUSED)
    with write() as session:
        campaign = _locked(account_id, campaign_id)
        _require(campaign, allowed)
        campaign.status = CampaignStatus.CANCELLED
        waiting = session.scalars(
            select(Message).where(Message.campaign_id == campaign.id, Message.status == MessageStatus.QUEUED)
        ).all()
        noted = [
            news
            for message in waiting
            for news in conversations.change_status(
                message,
                MessageStatus.QUEUED,
                status=MessageStatus.CANCELLED,
                status_reason=CAMPAIGN_CANCELLED,
            )
        ]
    live.tell(noted)
    return campaign


def retry_failed(account_id: int, campaign_id: int) -> Campaign:
    """Queues the failed ones again, and only them."""
    with write() as session:
        campaign = _locked(account_id, campaign_id)
        _require(campaign, (CampaignStatus.ACTIVE, CampaignStatus.PAUSED, CampaignStatus.COMPLETED))
        failed = session.scalars(
            select(Message)
            .join(Fan, Message.fan_id == Fan.id)
            .where(
                Message.campaign_id == campaign.id,
                Message.status == MessageStatus.FAILED,
                Fan.do_not_message.is_(False),
            )
        ).all()
        if not failed or campaign.connection_id is None:
            raise Conflict("Nothing of this campaign has failed that may be sent again.")
        noted = [news for message in failed for news in settling.requeue_failed(message, campaign.connection_id)]
    live.tell(noted)
    wake(account_id)
    return campaign


def _change(account_id: int, campaign_id: int, status: str, *, allowed: tuple[str, ...]) -> Campaign:
    with write() as session:
        campaign = _locked(account_id, campaign_id)
        _require(campaign, allowed)
        session.execute(update(Campaign).where(Campaign.id == campaign.id).values(status=status))
    return campaign


def _locked(account_id: int, campaign_id: int) -> Campaign:
    """Two people pressing at once wait for each other: the second sees what the first did."""
    campaign = queries.find_campaign(account_id, campaign_id)
    db.session.refresh(campaign, with_for_update=True)
    return campaign


def _require(campaign: Campaign, allowed: tuple[str, ...]) -> None:
    status = queries.status_of(campaign, queries.metrics_of([campaign])[campaign.id])
    if status not in allowed:
        raise Conflict(f"This campaign is {status}.")
